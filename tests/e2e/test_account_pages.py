"""Colleagues, sessions, password and second factor, as people use them on the pages."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pyotp
import segno
from playwright.async_api import Page, expect

from marketplace.kernel.db import Database
from tests.e2e.conftest import OpenPage
from tests.e2e.test_pages import look_everywhere
from tests.people import PASSWORD, NewPerson, Person, log_in, unique

PLAIN = {"java_script_enabled": False}


async def invite(page: Page, email: str, *roles: str) -> str:
    """The path of the link, as the page shows it."""
    await page.goto("/team")
    form = page.locator('form[action="/team/invitations"]')
    await form.get_by_label("Email").fill(email)
    for role in roles:
        await form.get_by_label(role).check()
    await form.get_by_role("button", name="Send the invitation").click()
    return urlsplit(await page.locator("#made-link").inner_text()).path


async def join(page: Page, name: str) -> None:
    await page.get_by_label("Your name").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Auctions")


async def type_login(page: Page, email: str) -> None:
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()


async def switch_on(page: Page) -> pyotp.TOTP:
    """A second factor for who looks at `page`; its authenticator."""
    await page.goto("/security")
    await page.get_by_role("button", name="Switch on").click()
    authenticator = pyotp.TOTP(await page.locator("#totp-secret").inner_text())
    await page.get_by_label("Code from your authenticator").fill(authenticator.now())
    await page.get_by_role("button", name="Confirm and switch on").click()
    await expect(page.get_by_role("status")).to_contain_text("a login needs a code")
    return authenticator


async def next_code(person: Person, database: Database, authenticator: pyotp.TOTP) -> str:
    """A code that is right now though the last one was just used: the memory of it goes back."""
    pool = await database.pool()
    await pool.execute("UPDATE users SET totp_last_step = 0 WHERE id = $1", person.user_id)
    return authenticator.now()


async def test_a_colleague_is_invited_opens_the_link_of_the_mail_and_is_in(
    open_page: OpenPage, new_buyer: NewPerson, database: Database
) -> None:
    buyer = await new_buyer()
    page = await open_page(buyer, "/team", **PLAIN)
    await expect(page.get_by_text("Nobody is invited at the moment")).to_be_visible()
    email = f"{unique('carla')}@example.com"
    shown = await invite(page, email, "Approver", "Observer")
    pool = await database.pool()
    mail = await pool.fetchrow("SELECT * FROM exchange_mails WHERE address = $1", email)
    assert (mail["path"], mail["state"]) == ("/", "pending"), "the outbox lets nobody in"
    assert mail["subject"].endswith(f"invites you to {buyer.name}")
    await expect(page.locator("li", has_text=email)).to_contain_text("Approver")

    colleague = await open_page(None, shown, **PLAIN)
    await expect(colleague.get_by_role("heading", level=1)).to_have_text(f"Join {buyer.name}")
    await colleague.get_by_role("button", name="Join").click()
    await expect(colleague.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    await join(colleague, "Carla Colleague")
    await colleague.goto("/team")
    await expect(colleague.locator("li", has_text="Carla Colleague")).to_contain_text("(you)")
    await expect(colleague.get_by_role("button", name="Send the invitation")).to_have_count(0)

    again = await open_page(None, "/login", **PLAIN)
    answer = await again.goto(shown)
    assert answer is not None
    assert answer.status == 410
    await expect(again.get_by_role("heading", level=1)).to_have_text("This link was used already")


async def test_an_expired_and_a_withdrawn_link_say_what_to_do(
    open_page: OpenPage, new_buyer: NewPerson, database: Database
) -> None:
    page = await open_page(await new_buyer(), "/team")
    visitor = await open_page(None, "/login")
    email = f"{unique('late')}@example.com"
    path = await invite(page, email, "Approver")
    pool = await database.pool()
    await pool.execute(
        "UPDATE colleague_invitations SET expires_at = expires_at - interval '72 hours'"
        " WHERE email = $1",
        email,
    )
    answer = await visitor.goto(path)
    assert answer is not None
    assert answer.status == 410
    await expect(visitor.get_by_text("A link works for 72 hours")).to_be_visible()
    await page.goto("/team")
    await expect(page.locator("li", has_text=email)).to_contain_text("expired")

    other = f"{unique('gone')}@example.com"
    path = await invite(page, other, "Approver")
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name=f"Withdraw {other}").click()
    await expect(page.get_by_text(other)).to_have_count(0)
    answer = await visitor.goto(path)
    assert answer is not None
    assert answer.status == 404
    await expect(visitor.get_by_text("It was withdrawn")).to_be_visible()


async def test_errors_of_an_invitation_stand_at_the_fields(
    open_page: OpenPage, new_buyer: NewPerson
) -> None:
    page = await open_page(await new_buyer(), "/team", **PLAIN)
    await page.get_by_label("Email").fill("nobody")
    await page.get_by_role("button", name="Send the invitation").click()
    await expect(page.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#roles-error")).to_have_text("Choose at least one role.")
    await expect(page.get_by_label("Email")).to_have_value("nobody")


async def test_roles_change_and_who_is_removed_is_out(
    open_page: OpenPage, new_supplier: NewPerson
) -> None:
    page = await open_page(await new_supplier(), "/team", **PLAIN)
    email = f"{unique('dora')}@example.com"
    path = await invite(page, email, "Partner employee")
    colleague = await open_page(None, path, **PLAIN)
    await join(colleague, "Dora Dealer")
    await page.goto("/team")
    row = page.locator("li", has_text="Dora Dealer")
    await row.locator("summary", has_text="Roles").click()
    await row.get_by_label("Partner employee").uncheck()
    await row.get_by_role("button", name="Save the roles").click()
    await expect(page.get_by_role("alert")).to_contain_text("Choose at least one role.")
    await row.locator("summary", has_text="Roles").click()
    await row.get_by_label("Partner employee").uncheck()
    await row.get_by_label("Observer").check()
    await row.get_by_role("button", name="Save the roles").click()
    await expect(row.locator(".chip")).to_have_text(["Observer"])
    await row.locator("summary", has_text="Remove").click()
    await row.get_by_role("button", name="Remove now").click()
    await expect(row.locator(".chip")).to_have_text(["Removed"])
    await colleague.goto("/team")
    await expect(colleague.get_by_role("heading", name="Log in")).to_be_visible()

    await expect(row).to_contain_text("was Observer")
    await row.locator("summary", has_text="Bring back").click()
    await row.get_by_role("button", name="Bring back now").click()
    await expect(row.locator(".chip")).to_have_text(["Observer"])
    await type_login(colleague, email)
    await expect(colleague.locator("li", has_text="Dora Dealer")).to_contain_text("(you)")


async def test_a_second_factor_is_switched_on_asked_for_and_switched_off(
    open_page: OpenPage, new_buyer: NewPerson, database: Database
) -> None:
    buyer = await new_buyer()
    page = await open_page(buyer, "/security", **PLAIN)
    await page.get_by_role("button", name="Switch on").click()
    secret = await page.locator("#totp-secret").inner_text()
    link = page.get_by_role("link", name="Open in your authenticator")
    await expect(link).to_have_attribute("href", re.compile(rf"otpauth://totp/.*{secret}"))
    code = page.get_by_label("Code from your authenticator")
    await code.fill("12345")
    await page.get_by_role("button", name="Confirm and switch on").click()
    await expect(code).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#totp-secret")).to_have_text(secret)
    await code.fill(pyotp.TOTP(secret).now())
    await page.get_by_role("button", name="Confirm and switch on").click()
    await expect(page.get_by_role("status")).to_contain_text("a login needs a code")
    await expect(page.locator("#recovery-codes")).to_have_text(re.compile(r"(\S{19}\s?){10}"))

    await page.locator(".menu summary").click()
    await page.get_by_role("button", name="Log out").click()
    await page.goto("/login?next=/tenders")
    await type_login(page, buyer.email)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your code")
    await expect(page.get_by_label("Password")).to_have_count(0)
    await code.fill("000 000")
    await page.get_by_role("button", name="Log in").click()
    await expect(code).to_have_attribute("aria-invalid", "true")
    fresh = await next_code(buyer, database, pyotp.TOTP(secret))
    await code.fill(f"{fresh[:3]} {fresh[3:]}")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Tenders")

    await page.goto("/security")
    off = page.locator("details", has_text="Switch off")
    await off.locator("summary").click()
    await off.get_by_label("Your password").fill("wrong")
    await page.get_by_role("button", name="Switch off now").click()
    await expect(off.get_by_label("Your password")).to_have_attribute("aria-invalid", "true")
    await off.get_by_label("Your password").fill(PASSWORD)
    await code.fill(await next_code(buyer, database, pyotp.TOTP(secret)))
    await page.get_by_role("button", name="Switch off now").click()
    await expect(page.get_by_role("status")).to_contain_text("no code any more")


async def test_who_lost_the_authenticator_gets_in_by_a_recovery_code_once(
    open_page: OpenPage, new_buyer: NewPerson
) -> None:
    buyer = await new_buyer()
    page = await open_page(buyer, "/security", **PLAIN)
    await switch_on(page)
    first, *_ = (await page.locator("#recovery-codes").inner_text()).split()
    await page.get_by_role("link", name="I have kept them").click()
    await expect(page.get_by_text("10 recovery codes")).to_be_visible()
    assert first not in await page.content()

    coming = await open_page(None, "/login?next=/security", **PLAIN)
    await type_login(coming, buyer.email)
    await coming.locator("summary", has_text="Lost your authenticator?").click()
    code = coming.get_by_label("Recovery code")
    await code.fill("abcd-efgh-ijkl-mnop")
    await coming.get_by_role("button", name="Log in with this code").click()
    await expect(code).to_have_attribute("aria-invalid", "true")
    await code.fill(first)
    await coming.get_by_role("button", name="Log in with this code").click()
    await expect(coming.get_by_text("9 recovery codes")).to_be_visible()

    renew = coming.locator("details", has_text="Make new recovery codes")
    await renew.locator("summary").click()
    await renew.get_by_label("Your password").fill("wrong")
    await coming.get_by_role("button", name="Make ten new codes").click()
    await expect(renew.get_by_label("Your password")).to_have_attribute("aria-invalid", "true")
    await renew.get_by_label("Your password").fill(PASSWORD)
    await coming.get_by_role("button", name="Make ten new codes").click()
    fresh = (await coming.locator("#recovery-codes").inner_text()).split()
    assert len(fresh) == 10
    assert first not in fresh


async def test_the_picture_of_the_secret_is_what_a_camera_needs(
    open_page: OpenPage, new_buyer: NewPerson
) -> None:
    """Dark on light with its quiet zone, in the dark theme too, and of the very address."""
    page = await open_page(await new_buyer(), "/security", color_scheme="dark")
    await page.get_by_role("button", name="Switch on").click()
    picture = page.get_by_role("img", name="QR code")
    await expect(picture).to_be_visible()
    box = await picture.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 150
    link = page.get_by_role("link", name="Open in your authenticator")
    address = await link.get_attribute("href")
    assert address is not None
    made = segno.make(address, error="m", micro=False)
    size = made.symbol_size(border=4)[0]
    svg = picture.locator("svg")
    await expect(svg).to_have_attribute("viewBox", f"0 0 {size} {size}")
    drawn = await svg.locator("path[stroke]").get_attribute("d")
    assert f'd="{drawn}"' in made.svg_inline(border=4)
    colours = await svg.locator("path").evaluate_all(
        "paths => paths.map((one) => one.getAttribute('fill') ?? one.getAttribute('stroke'))"
    )
    assert colours == ["#fff", "#000"]


async def test_a_made_up_ticket_begins_the_login_again(
    open_page: OpenPage, new_buyer: NewPerson
) -> None:
    buyer = await new_buyer()
    page = await open_page(buyer, "/security")
    await switch_on(page)
    visitor = await open_page(None, "/login")
    await type_login(visitor, buyer.email)
    await visitor.locator('[name="ticket"]').first.evaluate(
        "(field) => { field.value = 'bWFkZSB1cA==' }"
    )
    await visitor.get_by_label("Code from your authenticator").fill("123456")
    await visitor.get_by_role("button", name="Log in", exact=True).click()
    await expect(visitor.get_by_role("alert")).to_contain_text("Log in once more")
    await expect(visitor.get_by_label("Password")).to_be_visible()


async def test_a_session_elsewhere_is_seen_and_logged_out(
    open_page: OpenPage, new_buyer: NewPerson
) -> None:
    buyer = await new_buyer()
    here = await open_page(buyer, "/security", **PLAIN)
    await expect(here.get_by_text("You are logged in nowhere else.")).to_be_visible()
    there = await open_page(None, "/login")
    await type_login(there, buyer.email)
    await expect(there.get_by_role("heading", level=1)).to_have_text("Auctions")
    await here.reload()
    row = here.locator("li", has_text="Chrome")
    await expect(row).to_contain_text("127.0.0.1")
    await row.get_by_role("button", name="Log out").click()
    await expect(here.get_by_role("status")).to_contain_text("logged out")
    await expect(here.get_by_text("You are logged in nowhere else.")).to_be_visible()
    await there.goto("/tenders")
    await expect(there.get_by_role("heading", name="Log in")).to_be_visible()


async def test_a_new_password_counts_and_the_old_one_does_not(
    open_page: OpenPage, new_buyer: NewPerson
) -> None:
    buyer = await new_buyer()
    page = await open_page(buyer, "/security", **PLAIN)
    await page.get_by_label("Present password").fill("wrong")
    await page.get_by_label("New password").fill("a better sentence")
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.get_by_label("Present password")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Present password").fill(PASSWORD)
    await page.get_by_label("New password").fill("a better sentence")
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.get_by_role("status")).to_contain_text("Your password is changed")
    buyer.password = "a better sentence"
    await log_in(buyer)


async def test_the_menu_leads_to_the_account_by_keyboard(
    open_page: OpenPage, new_buyer: NewPerson
) -> None:
    page = await open_page(await new_buyer(), "/auctions")
    for name in ("Team", "Security"):
        await page.locator(".menu summary").focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name=name, exact=True).focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text(name)


async def test_what_only_appears_on_the_way_looks_right(
    open_page: OpenPage, new_supplier: NewPerson
) -> None:
    """The shown link, an open form of a colleague, the invitation, the secret, the code."""
    supplier = await new_supplier()
    page = await open_page(supplier, "/team")
    path = await invite(page, f"{unique('eve')}@example.com", "Partner employee")
    await look_everywhere(page)
    visitor = await open_page(None, path)
    await look_everywhere(visitor)
    await join(visitor, "Eve Employee")
    await visitor.goto(path)
    await look_everywhere(visitor)
    await page.goto("/team")
    for fold in await page.locator(".reason summary").all():
        await fold.click()
    await look_everywhere(page)
    await page.get_by_role("button", name="Remove now").click()
    await page.locator("summary", has_text="Bring back").click()
    await look_everywhere(page)
    await page.goto("/security")
    await page.get_by_role("button", name="Switch on").click()
    await look_everywhere(page)
    await switch_on(page)
    await look_everywhere(page)
    await page.goto("/security")
    for fold in await page.locator(".unfold summary").all():
        await fold.click()
    await look_everywhere(page)
    coming = await open_page(None, "/login")
    await type_login(coming, supplier.email)
    await expect(coming.get_by_role("heading", level=1)).to_have_text("Your code")
    await coming.locator("summary", has_text="Lost your authenticator?").click()
    await look_everywhere(coming)
