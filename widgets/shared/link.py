"""Choices in the link, by their ids: a segmented control, and what a link asks for in vain."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from widgets.shared.format import as_text

IGNORED = "link-ignored"  # session key: why each parameter of the link is ignored, by its name


def choice(
    label: str,
    options: Mapping[str, str],
    *,
    key: str,
    aliases: Mapping[str, str] | None = None,
    on_change: Callable[[], None] | None = None,
    label_visibility: Any = "visible",
    wrap: bool | None = None,
) -> str:
    """A segmented control; returns the id of the chosen option, which is in the link as well.

    ``options`` maps ids to what is shown; the first is the default, which the link leaves out.
    ``aliases`` maps other words in a link to ids; what is shown is always one. ``key`` names the
    link's parameter and the control.
    """
    state, default = st.session_state, next(iter(options))
    linked, last, clicked = st.query_params.get(key), f"{key}-linked", f"{key}-clicked"
    is_new = linked != state.get(last) and not state.pop(clicked, False)  # a link, or Back
    if is_new or state.get(key) not in options:
        state[key] = default
        if linked is not None:
            words = {_slug(shown): id for id, shown in options.items()} | dict(aliases or {})
            asked: str | None = linked if linked in options else words.get(_slug(linked))
            if asked is None:
                refuse(key, linked, ", ".join(options))
            state[key] = asked or default

    def changed() -> None:
        state[clicked] = True  # wins over a link that the browser has not yet replaced
        if on_change:
            on_change()

    id = st.segmented_control(
        label,
        list(options),
        required=True,
        key=key,
        format_func=options.__getitem__,
        on_change=changed,
        label_visibility=label_visibility,
        wrap=wrap,
    )
    id = id or default
    if id != (linked or default):
        if id == default:
            del st.query_params[key]
        else:
            st.query_params[key] = id
    state.pop(clicked, None)
    state[last] = st.query_params.get(key)
    return id


def check(key: str, valid: Callable[[int], bool], allowed: str, words: Sequence[str] = ()) -> None:
    """Take a parameter that is no valid integer out of the link, and note what was allowed.

    ``words`` are valid as well. Call it before the control that is bound to the parameter.
    """
    linked = st.query_params.get(key)
    if linked is None or linked in words or st.session_state.get(key) is not None:
        return
    number = int(linked) if re.fullmatch(r"-?[0-9]{1,9}", linked) else None
    if number is None or not valid(number):
        refuse(key, linked, allowed)
        del st.query_params[key]


def forget_ignored() -> None:
    """Start anew: another page or run was opened."""
    st.session_state.pop(IGNORED, None)


def tell_ignored() -> None:
    """One sentence with all that the link asks for and cannot have, if there is anything."""
    if ignored := st.session_state.get(IGNORED):
        st.caption(
            f":material/link_off: Ignored in the link: {as_text('; '.join(ignored.values()))}."
        )


def refuse(key: str, value: str, allowed: str) -> None:
    """Note that the link's parameter has a value that cannot be, and what it could be."""
    shown = value if len(value) <= 30 else f"{value[:30]} …"
    st.session_state.setdefault(IGNORED, {})[key] = f"{key}={shown} (choose from {allowed})"


def _slug(text: str) -> str:
    return "-".join(re.findall(r"\w+", text.lower()))
