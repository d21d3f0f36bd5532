/* Sound and vibration, only for those who switched them on; switching on plays the sound as a test. */

import { _ } from "../texts";
import { announce, element } from "./page";

const WANTED = "auction-alerts";
const VOLUME = 0.2;
/** Frequencies in Hz, one tone after the other. */
const TONES = { outbid: [880, 660, 880], extended: [520, 780], last: [660, 660] };
const TONE_S = 0.16;

export class Alerts {
  private wanted = localStorage.getItem(WANTED) === "on";
  private audio: AudioContext | null = null;

  constructor() {
    const button = document.getElementById("alerts");
    if (!button) return;
    this.draw();
    button.addEventListener("click", () => this.toggle());
    // Browsers let a page sound only after the person touched it.
    document.addEventListener("pointerdown", () => this.wanted && this.wake(), { once: true });
  }

  outbid(): void {
    this.sound(TONES.outbid, [200, 100, 200, 100, 200]);
  }

  extended(): void {
    this.sound(TONES.extended, [150]);
  }

  lastMinute(): void {
    this.sound(TONES.last, [150, 100, 150]);
  }

  private toggle(): void {
    this.wanted = !this.wanted;
    localStorage.setItem(WANTED, this.wanted ? "on" : "off");
    this.draw();
    announce(this.wanted ? _("Sound and vibration are on.") : _("Sound and vibration are off."));
    if (this.wanted) this.outbid();
  }

  private draw(): void {
    element("alerts").setAttribute("aria-pressed", String(this.wanted));
  }

  private wake(): AudioContext | null {
    if (typeof AudioContext === "undefined") return null;
    this.audio ??= new AudioContext();
    void this.audio.resume();
    return this.audio;
  }

  private sound(tones: number[], pattern: number[]): void {
    if (!this.wanted) return;
    navigator.vibrate?.(pattern);
    const audio = this.wake();
    if (!audio) return;
    const gain = audio.createGain();
    gain.gain.value = VOLUME;
    gain.connect(audio.destination);
    tones.forEach((frequency, index) => {
      const tone = audio.createOscillator();
      tone.frequency.value = frequency;
      tone.connect(gain);
      tone.start(audio.currentTime + index * TONE_S);
      tone.stop(audio.currentTime + (index + 0.8) * TONE_S);
    });
  }
}
