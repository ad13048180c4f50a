"""
A seed file's bytes in, its tables out: our own TOML, a CloudFormation template, a Terraform state or plan.

The kind is found by what the file contains; its name says nothing.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from cognito_credentials.emulator.model.names import DEFAULT_REGION
from cognito_credentials.emulator.seed.cloudformation import read_template
from cognito_credentials.emulator.seed.entry import SeedError, text_of
from cognito_credentials.emulator.seed.parts import Parts
from cognito_credentials.emulator.seed.template_yaml import read_yaml
from cognito_credentials.emulator.seed.terraform import read_terraform

_MOST_YAML = 1_000_000
"""CloudFormation takes templates of 1 MB at most."""
_TEMPLATE_LINE = re.compile(
    r"^(---\s*$|%YAML|[\"']?(Resources|AWSTemplateFormatVersion|Parameters|Transform|Outputs|Mappings|"
    r"Conditions|Description|Metadata|Globals)[\"']?\s*:(\s|$))",
    re.MULTILINE,
)
_TERRAFORM_CODE = re.compile(r"^\s*(resource|data|module|provider|terraform|variable)\s+[\"{]", re.MULTILINE)


def read_kind(
    path: str, content: bytes, region: str | None, parameters: Mapping[str, Any] | None
) -> Mapping[str, Any] | Parts:
    """
    The tables of a TOML file, or the parts of a template or a state.

    Raises:
        SeedError: It is none of these, or something in it is wrong.
    """
    if content.startswith(b"PK\x03\x04"):
        raise _mistake(path, "it is an archive, such as a plan: give the output of terraform show -json FILE")
    try:
        text = text_of(content)
        if text.lstrip().startswith("{"):
            return _read_object(path, _json(text), region, parameters)
        try:
            return _toml(text)
        except ValueError:
            if _TEMPLATE_LINE.search(text):
                return _read_yaml(path, text, region, parameters)
            if _TERRAFORM_CODE.search(text):
                raise ValueError(
                    "it is Terraform's code: give its state, or a plan by terraform show -json"
                ) from None
            raise
    except RecursionError:
        raise _mistake(path, "nested too deeply") from None
    except UnicodeEncodeError:
        raise _mistake(path, "a text in it is not Unicode: it has half of a surrogate pair") from None
    except ValueError as error:
        raise _mistake(path, str(error)) from None


def _read_yaml(path: str, text: str, region: str | None, parameters: Mapping[str, Any] | None) -> Parts:
    if len(text) > _MOST_YAML:
        raise ValueError(f"the template is larger than {_MOST_YAML} characters; CloudFormation takes 1 MB")
    value = read_yaml(text)
    if not isinstance(value, dict):
        raise ValueError("expected a template: a table with Resources")
    return _read_object(path, value, region, parameters)


def _read_object(path: str, value: Any, region: str | None, parameters: Mapping[str, Any] | None) -> Parts:
    json.dumps(value, ensure_ascii=False).encode()  # SQLite takes no text that is not Unicode
    if isinstance(value.get("TemplateBody"), dict):  # aws cloudformation get-template
        value = value["TemplateBody"]
    if "Resources" in value:
        return read_template(path, value, region or DEFAULT_REGION, parameters)
    if parameters:
        raise ValueError("parameters are for templates of CloudFormation")
    found = read_terraform(path, value, region)
    if found is not None:
        return found
    for member, what in _OTHERS.items():
        if member in value:
            raise ValueError(what)
    raise ValueError(
        "expected a seed in TOML, a CloudFormation template (with Resources), terraform.tfstate,"
        " or the output of terraform show -json"
    )


_OTHERS = {
    "AWSTemplateFormatVersion": "the template has no Resources",
    "encrypted_data": "the state is encrypted: give the output of tofu show -json",
    "artifacts": "it is a manifest of CDK: give the template beside it, cdk.out/STACK.template.json",
    "@level": "it is the log of a plan: save the plan by -out, and give the output of terraform show -json",
}
"""A member that tells a file that is often mistaken for a seed, and what to do."""


def _toml(text: str) -> Mapping[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The parser gives the line of each mistake but those at the end.
        last = f"at line {len(text.splitlines())}, the end of the file"
        raise ValueError(f"not TOML: {error}".replace("at end of document", last)) from None


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and '"@level"' in text[:2000]:
            raise ValueError(_OTHERS["@level"]) from None
        raise ValueError(f"not JSON: {error}") from None


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"'{name}' is given twice")
            seen.add(name)
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON value")


def _mistake(path: str, what: str) -> SeedError:
    return SeedError(f"seed file {path}: {what}")
