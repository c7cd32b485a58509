"""Search hyperparameters: many short runs, of which the best go on, and one tested winner."""

import streamlit as st

from digits.store import runs
from widgets.shared.format import as_text
from widgets.shared.session import load_recipe, tell_rate_changes, via_app
from widgets.sweeps.results import OPENED, results
from widgets.sweeps.setup import new_sweep
from widgets.sweeps.toolbar import toolbar

via_app()

if opened := st.session_state.pop(OPENED, None):
    try:
        run = runs.open(opened)
        recipe = run.recipe
        tell_rate_changes(run)
    except (ValueError, LookupError) as error:
        st.error(as_text(error), icon=":material/link_off:")
    else:
        load_recipe(run, recipe)

sweep = toolbar()
if sweep is None:
    new_sweep()
else:
    results(sweep)
