"""The extension point of the secrets plugin.

Settings that Tutor or a plugin makes up a random value for are found by themselves. A plugin
whose secret has another origin declares it here:

    SECRET_KEYS.add_item(("MYPLUGIN_SESSION_SALT", "{{ 32|random_string }}"))
    SECRET_KEYS.add_item(("MYPLUGIN_LICENSE", ""))
"""

from __future__ import annotations

from tutor.core.hooks import Filter

# (setting, the Jinja template that makes up a value for it; empty if somebody else chooses it)
SECRET_KEYS: Filter[list[tuple[str, str]], []] = Filter()
