/* One dialog for every question: a native modal, so focus, Escape and the background are the browser's business. */

import { element, fit } from "./page";

export interface Question {
  title: string;
  text: string;
  yes: string;
  price?: string;
  /** Label of a text the person must write; the answer is that text. */
  input?: string;
  /** A third button, for what was probably meant instead. */
  other?: string;
}

export const OTHER = Symbol("the other button");

/** The written text (empty when none was asked for), or null when the person went back. */
export async function ask(question: Question): Promise<string | null> {
  const answer = await askEither(question);
  return answer === OTHER ? null : answer;
}

/** As `ask`, or OTHER when the third button was chosen. */
export function askEither(question: Question): Promise<string | typeof OTHER | null> {
  const dialog = element<HTMLDialogElement>("ask");
  const input = element<HTMLInputElement>("ask-input");
  element("ask-title").textContent = question.title;
  element("ask-text").textContent = question.text;
  element("ask-yes").textContent = question.yes;
  element("ask-other").hidden = question.other === undefined;
  element("ask-other").textContent = question.other ?? "";
  element("ask-price").hidden = question.price === undefined;
  fit("ask-price", question.price ?? "");
  element("ask-field").hidden = question.input === undefined;
  element("ask-label").textContent = question.input ?? "";
  input.required = question.input !== undefined;
  input.value = "";
  // Enter in the text field must mean yes; the first button of a form would be taken otherwise.
  input.onkeydown = (key) => {
    if (key.key !== "Enter") return;
    key.preventDefault();
    element("ask-yes").click();
  };
  dialog.returnValue = "no";
  if (!dialog.open) dialog.showModal();
  (question.input === undefined ? element("ask-no") : input).focus();
  return new Promise((resolve) => {
    const answers: Record<string, () => string | typeof OTHER> = { yes: () => input.value.trim(), other: () => OTHER };
    dialog.addEventListener("close", () => resolve(answers[dialog.returnValue]?.() ?? null), { once: true });
  });
}
