"""
A page with at most one question: a title, a text, and a form with its fields and buttons.

Every value is escaped here, and nowhere else. A field has a label, a problem of a field is tied to it, and
the first field with a problem has the focus: there is no script that could put it there later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

STYLE_PATH = "/_emulator/style.css"


@dataclass(frozen=True)
class Field:
    """
    A field of a form.

    Attributes:
        hint: What to type, or where it is found.
        problem: What is wrong with the value.
        options: The choices of a group of radio buttons: value to label. With these there is no text to type.
    """

    name: str
    label: str
    type: str = "text"
    value: str = ""
    autocomplete: str = "off"
    hint: str = ""
    problem: str = ""
    options: Mapping[str, str] | None = None
    is_code: bool = False
    is_required: bool = True


@dataclass(frozen=True)
class Button:
    """A button that sends the form with ``choice=value``. A quiet one needs none of the fields."""

    value: str
    label: str
    is_quiet: bool = False


@dataclass(frozen=True)
class Form:
    """A form. *action* is a path of the emulator, with a query."""

    action: str
    hidden: Mapping[str, str]
    fields: Sequence[Field]
    buttons: Sequence[Button]


def page(
    title: str,
    *,
    said: Sequence[str] = (),
    shown: str = "",
    problem: str = "",
    form: Form | None = None,
    links: Mapping[str, str] | None = None,
) -> str:
    """
    A page.

    Args:
        said: Paragraphs above the form.
        shown: A text to copy, such as a key.
        problem: What is wrong, if it belongs to no field.
        links: Paths of the emulator, and what they lead to.
    """
    has_problem = bool(problem) or any(field.problem for field in (form.fields if form else ()))
    parts = [f"<h1>{escape(title)}</h1>"]
    if problem:
        parts.append(f'<p class="problem" role="alert">{escape(problem)}</p>')
    parts += [f"<p>{escape(text)}</p>" for text in said]
    if shown:
        parts.append(f'<p class="shown"><code>{escape(shown)}</code></p>')
    if form is not None:
        parts.append(_form(form))
    if links:
        items = "".join(f'<li><a href="{escape(to)}">{escape(text)}</a></li>' for to, text in links.items())
        parts.append(f'<ul class="links">{items}</ul>')
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{'Error: ' if has_problem else ''}{escape(title)}</title>\n"
        f'<link rel="stylesheet" href="{STYLE_PATH}">\n<link rel="icon" href="data:,">\n'
        '</head>\n<body class="sign-in">\n<main>\n' + "\n".join(parts) + "\n</main>\n"
        "<footer>This is the emulator of Amazon Cognito, and no real account.</footer>\n"
        "</body>\n</html>\n"
    )


def style() -> bytes:
    """The stylesheet."""
    return Path(__file__).with_name("style.css").read_bytes()


def _form(form: Form) -> str:
    with_focus = next((field.name for field in form.fields if field.problem), None)
    if with_focus is None and form.fields:
        with_focus = next((field.name for field in form.fields if not field.value), form.fields[0].name)
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in form.hidden.items()
    )
    rows = [_field(field, has_focus=field.name == with_focus) for field in form.fields]
    buttons = "".join(map(_button, form.buttons))
    return (
        f'<form method="post" action="{escape(form.action)}">\n{hidden}\n'
        + "\n".join(rows)
        + f'\n<div class="buttons">{buttons}</div>\n</form>'
    )


def _button(button: Button) -> str:
    more = ' class="quiet" formnovalidate' if button.is_quiet else ""
    start = f'<button type="submit" name="choice" value="{escape(button.value)}"{more}>'
    return f"{start}{escape(button.label)}</button>"


def _field(field: Field, *, has_focus: bool) -> str:
    name = escape(field.name)
    notes = []
    if field.problem:
        notes.append((f"{name}-problem", "problem", field.problem))
    if field.hint:
        notes.append((f"{name}-hint", "hint", field.hint))
    said = "".join(f'<p id="{key}" class="{kind}">{escape(text)}</p>' for key, kind, text in notes)
    described = f' aria-describedby="{" ".join(key for key, _, _ in notes)}"' if notes else ""
    invalid = ' aria-invalid="true"' if field.problem else ""
    if field.options is not None:
        return _choice(field, described + invalid, said)
    attributes = [
        f'id="{name}"',
        f'name="{name}"',
        f'type="{field.type}"',
        f'autocomplete="{field.autocomplete}"',
    ]
    if field.value and field.type != "password":
        attributes.append(f'value="{escape(field.value)}"')
    if field.is_code:
        attributes.append('class="code" autocapitalize="characters" spellcheck="false"')
    if field.type in ("text", "email"):
        attributes.append('maxlength="2048"')
    attributes += ["required"] * field.is_required + ["autofocus"] * has_focus
    label = f'<label for="{name}">{escape(field.label)}</label>'
    return f'<div class="field">{label}<input {" ".join(attributes)}{described}{invalid}>{said}</div>'


def _choice(field: Field, attributes: str, said: str) -> str:
    radios = "".join(
        f'<label><input type="radio" name="{escape(field.name)}" value="{escape(value)}"'
        f"{' checked' if value == field.value else ''} required> {escape(label)}</label>"
        for value, label in (field.options or {}).items()
    )
    return (
        f'<fieldset class="field"{attributes}><legend>{escape(field.label)}</legend>{radios}{said}</fieldset>'
    )
