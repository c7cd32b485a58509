"""A recipe as a file: saved, loaded into the controls, and as a script or a notebook of Keras."""

import streamlit as st

from digits.recipes.differences import closest_preset
from digits.recipes.keras_script import Stage, keras_script
from digits.recipes.notebook import notebook
from digits.recipes.recipe import Recipe
from digits.store.files import MAX_JSON
from widgets.shared.format import as_text
from widgets.train import controls

PROBLEM = "recipe-file-problem"  # in the session: why the latest file was refused


def recipe_file(recipe: Recipe) -> None:
    """Save the recipe, or load one that was saved; a sentence for a file that holds none."""
    st.download_button(
        "Save as recipe.json",
        recipe.to_json(),
        "recipe.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )
    st.file_uploader("Load a recipe.json", "json", key="recipe-file", on_change=_load)
    if problem := st.session_state.get(PROBLEM):
        st.error(as_text(problem), icon=":material/broken_image:")


def _load() -> None:
    """Let the controls show the recipe of the file that was just chosen."""
    state = st.session_state
    state.pop(PROBLEM, None)
    if not (file := state["recipe-file"]):
        return  # removed again
    try:
        recipe = read_recipe(file.getvalue())
    except ValueError as error:
        state[PROBLEM] = str(error)
    else:
        controls.load(recipe, closest_preset(recipe))


def read_recipe(content: bytes) -> Recipe:
    """The recipe of a file, without its fine-tuning, whose drawings stay with their run.

    Raises ``ValueError`` when it holds none.
    """
    if len(content) > MAX_JSON:
        raise ValueError("This is not a recipe: the file is too large.")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ValueError("This is not a recipe: the file is no text.") from error
    return Recipe.from_json(text)


def script_downloads(recipe: Recipe) -> None:
    """The Keras script and its notebook, as files."""
    with st.container(horizontal=True):
        for label, content, name in (
            ("Script", keras_script(Stage(recipe)), "digits.py"),
            ("Notebook", notebook(Stage(recipe)), "digits.ipynb"),
        ):
            st.download_button(label, content, name, icon=":material/download:", on_click="ignore")
