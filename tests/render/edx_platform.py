"""What edx-platform makes of the settings that Tutor renders for it."""

from __future__ import annotations

import builtins
import importlib
import os
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import yaml

from demo.tutor import TutorRoot

# Elasticsearch's client of the images does without NumPy, but not with a NumPy 2, which the report
# of the demo draws with.
_numpy = sys.modules.get("numpy")
sys.modules["numpy"] = None  # type: ignore[assignment]
importlib.import_module("elasticsearch")
if _numpy:
    sys.modules["numpy"] = _numpy
else:
    del sys.modules["numpy"]


def platform_settings(root: TutorRoot, service: str) -> dict[str, Any]:
    """The settings that result from a service's rendered files, run in edx-platform's order.

    edx-platform itself is a stand-in that knows no more than the rendered files ask of it.
    """
    apps = root.path / "env" / "apps" / "openedx"
    config = yaml.safe_load((apps / "config" / f"{service}.env.yml").read_text())
    platform = SimpleNamespace(**platform_defaults(), **config, ENV_TOKENS=config)
    modules: dict[str, Any] = {
        f"{service}.envs.production": platform,
        "xmodule.modulestore.modulestore_settings": SimpleNamespace(
            update_module_store_settings=update_module_store_settings
        ),
        "codejail.jail_code": SimpleNamespace(
            jail_code=SimpleNamespace(configure=lambda *_args, **_options: None)
        ),
        # The rendered files make the pod's folders.
        "os": SimpleNamespace(path=os.path, makedirs=lambda *_args, **_options: None),
    }

    def import_module(name: str, *args: Any) -> Any:
        if name.split(".")[0] in ("openedx", "django"):
            raise ImportError(name)
        return modules[name] if name in modules else builtins.__import__(name, *args)

    settings: dict[str, Any] = {
        "__builtins__": {**vars(builtins), "__import__": import_module},
        "__name__": "settings",
    }
    path = apps / "settings" / service / "production.py"
    exec(compile(path.read_text(), str(path), "exec"), settings)
    return settings


PLUGIN_FILES = {
    "credentials": "credentials/apps/credentials/settings/production.py",
    "discovery": "discovery/apps/settings/tutor/production.py",
    "notes": "notes/apps/settings/tutor.py",
    "xqueue": "xqueue/apps/settings/tutor.py",
}


def plugin_settings(root: TutorRoot, plugin: str) -> dict[str, Any]:
    """The settings that result from a plugin's rendered file.

    What it imports, its service's own settings, is a stand-in as for the platform.
    """
    # In credentials, what Tutor takes away is all that there is.
    names = ["local"] if plugin == "credentials" else ["console", "local"]
    console = {"class": "logging.StreamHandler", "formatter": "standard", "stream": sys.stdout}
    handlers = {
        "version": 1,
        "formatters": {"standard": {"format": "%(levelname)s %(message)s"}},
        "handlers": {"console": console, "local": {}},
        "loggers": {"": {"handlers": names, "level": "INFO"}},
    }
    base = SimpleNamespace(
        JWT_AUTH={},
        LOGGING=handlers,
        ELASTICSEARCH_DSL={"default": {}},
        ELASTICSEARCH_INDEX_NAMES={"documents.course": "course", "documents.person": "person"},
        PARLER_LANGUAGES={1: [{}], "default": {}},
        STORAGES={"default": {"BACKEND": "local"}, "staticfiles": {"BACKEND": "static"}},
        get_logger_config=lambda **_options: handlers,
    )

    def import_module(name: str, *args: Any) -> Any:
        is_own = name.split(".")[0] == plugin or (len(args) > 3 and args[3] > 0)
        return base if is_own else builtins.__import__(name, *args)

    settings: dict[str, Any] = {
        "__builtins__": {**vars(builtins), "__import__": import_module},
        "__name__": "settings",
    }
    path = root.path / "env" / "plugins" / PLUGIN_FILES[plugin]
    exec(compile(path.read_text(), str(path), "exec"), settings)
    return settings


def platform_defaults() -> dict[str, Any]:
    store = {"DOC_STORE_CONFIG": {"read_preference": "SECONDARY_PREFERRED"}, "OPTIONS": {}}
    lists = ["LOGIN_REDIRECT_WHITELIST", "CSRF_TRUSTED_ORIGINS", "IDA_LOGOUT_URI_LIST"]
    mappings = ["JWT_AUTH", "REGISTRATION_EXTRA_FIELDS", "XBLOCK_SETTINGS"]
    return {
        **{name: [] for name in lists},
        **{name: {} for name in mappings},
        "BROKER_TRANSPORT_OPTIONS": {"fanout_patterns": True, "fanout_prefix": True},
        "DATABASE_ROUTERS": [
            "openedx.core.lib.django_courseware_routers.StudentModuleHistoryExtendedRouter"
        ],
        "INSTALLED_APPS": ["lms.djangoapps.coursewarehistoryextended"],
        "LOGGING": {
            "version": 1,
            "formatters": {"standard": {"format": "%(levelname)s %(message)s"}},
            "handlers": {
                "console": {"class": "logging.StreamHandler", "formatter": "standard"},
                "local": {"class": "logging.NullHandler"},
            },
            "loggers": {
                "tracking": {"handlers": ["tracking"], "level": "DEBUG", "propagate": False},
                "": {"handlers": ["console", "local"], "level": "INFO"},
            },
        },
        "MODULESTORE": {"default": {"OPTIONS": {"stores": [store]}}},
        "PROFILE_IMAGE_BACKEND": {"class": "local", "options": {}},
        "STATIC_ROOT": "/openedx/staticfiles",
        "STORAGES": {"default": {"BACKEND": "local"}, "staticfiles": {"BACKEND": "static"}},
        "VIDEO_IMAGE_SETTINGS": {"STORAGE_KWARGS": {}, "DIRECTORY_PREFIX": "video-images/"},
        "VIDEO_TRANSCRIPTS_SETTINGS": {"STORAGE_KWARGS": {}, "DIRECTORY_PREFIX": "transcripts/"},
        "VIDEO_UPLOAD_PIPELINE": {
            "VEM_S3_BUCKET": "",
            "ROOT_PATH": "",
            "CONCURRENT_UPLOAD_LIMIT": 4,
        },
    }


def update_module_store_settings(
    module_stores: dict[str, Any], doc_store_settings: Mapping[str, Any]
) -> None:
    """Merge into a copy, as edx-platform does."""
    for store in module_stores["default"]["OPTIONS"]["stores"]:
        store["DOC_STORE_CONFIG"] = {**store["DOC_STORE_CONFIG"], **doc_store_settings}
