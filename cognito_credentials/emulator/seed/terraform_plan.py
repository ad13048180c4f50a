"""
What a plan does not know before apply: the ids that the emulator gives, and what refers to them in the code.

A plan has no values that AWS will make, such as the id of a new pool. But it has the code's expressions, and
which attributes they name. A value that is such an attribute, and nothing more, is found by it.

Source: https://developer.hashicorp.com/terraform/internals/json-format#expression-representation
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cognito_credentials.emulator.seed.terraform_files import Resource, TerraformFile

_INDEX = re.compile(r"\[[^\]]*\]")
_REFERENCES: Mapping[str, Sequence[str]] = {
    "aws_cognito_user_pool_client": ("user_pool_id",),
    "aws_cognito_user": ("user_pool_id",),
    "aws_cognito_user_group": ("user_pool_id", "role_arn"),
    "aws_cognito_user_in_group": ("user_pool_id", "group_name", "username"),
    "aws_cognito_identity_pool_roles_attachment": ("identity_pool_id",),
    "aws_cognito_identity_pool_provider_principal_tag": ("identity_pool_id",),
}
"""Members whose value is an attribute of another resource."""


class Plan:
    """
    The resources of a plan by address, and the expressions of the code.

    Args:
        file: The plan.
    """

    def __init__(self, file: TerraformFile) -> None:
        self._resources: dict[tuple[str, str], list[Resource]] = {}
        for one in file.resources:
            self._resources.setdefault((one.module, f"{one.type}.{one.name}"), []).append(one)
        self._referred: dict[tuple[str, str, int | str | None], list[Any]] = {}
        self._root = _dict((file.configuration or {}).get("root_module"))
        self._providers = _dict((file.configuration or {}).get("provider_config"))

    def region(self) -> str | None:
        """The region of the code's AWS provider, if it is a constant."""
        for provider in self._providers.values():
            if _dict(provider).get("name") == "aws":
                region = _dict(_dict(_dict(provider).get("expressions")).get("region")).get("constant_value")
                return region if isinstance(region, str) else None
        return None

    def fill(self, resource: Resource) -> None:
        """Fill in the members of *resource* that the code takes from other resources."""
        expressions = _dict(self._code_of(resource).get("expressions"))
        for member in _REFERENCES.get(resource.type, ()):
            if resource.values.get(member) is None:
                found = self._one(resource, expressions.get(member))
                if found is not None:
                    resource.values[member] = found
        if resource.type == "aws_cognito_identity_pool":
            self._fill_providers(resource, expressions)
        elif resource.type == "aws_cognito_identity_pool_roles_attachment":
            self._fill_roles(resource, expressions)
        elif resource.type == "aws_cognito_identity_pool_provider_principal_tag":
            name = self._provider_name(resource, expressions.get("identity_provider_name"))
            resource.values["identity_provider_name"] = resource.values.get("identity_provider_name") or name

    def output(self, name: str) -> Any:
        """An output of the root module that is an attribute of a resource; None if it is not known."""
        output = _dict(_dict(self._root.get("outputs")).get(name))
        found = self._values("", output.get("expression"), None)
        return found[0] if len(found) == 1 else None

    def _fill_providers(self, resource: Resource, expressions: Mapping[str, Any]) -> None:
        blocks = resource.values.get("cognito_identity_providers")
        code = expressions.get("cognito_identity_providers")
        for block, expression in zip(_list(blocks), _list(code), strict=False):
            for member in ("client_id", "provider_name"):
                if isinstance(block, dict) and block.get(member) is None:
                    block[member] = self._one(resource, _dict(expression).get(member))
        for member in ("openid_connect_provider_arns", "saml_provider_arns"):
            arns = resource.values.get(member)
            if (arns is None or None in _list(arns)) and member in expressions:
                known = [arn for arn in _list(arns) if arn is not None]
                found = self._values_of(resource, expressions[member])
                resource.values[member] = [*known, *(arn for arn in found if arn not in known)]

    def _fill_roles(self, resource: Resource, expressions: Mapping[str, Any]) -> None:
        roles, unknown = _dict(resource.values.get("roles")), resource.unknown.get("roles")
        known = {key: arn for key, arn in roles.items() if isinstance(arn, str)}
        named = [key for key in _dict(unknown) if key not in known]
        arns = self._values_of(resource, expressions.get("roles"))
        found = [arn for arn in arns if isinstance(arn, str) and arn not in known.values()]
        if len(named) == 1 and len(found) == 1:
            known[named[0]] = found[0]
        elif named or unknown is True or not known:
            known |= _roles_by_name(found)
        resource.values["roles"] = known
        mappings, code = resource.values.get("role_mapping"), expressions.get("role_mapping")
        for mapping, expression in zip(_list(mappings), _list(code), strict=False):
            if not isinstance(mapping, dict):
                continue
            if mapping.get("identity_provider") is None:
                name = self._provider_name(resource, _dict(expression).get("identity_provider"))
                mapping["identity_provider"] = name
            rules = zip(
                _list(mapping.get("mapping_rule")), _list(_dict(expression).get("mapping_rule")), strict=False
            )
            for rule, inner in rules:
                if isinstance(rule, dict) and rule.get("role_arn") is None:
                    rule["role_arn"] = self._one(resource, _dict(inner).get("role_arn"))

    def _provider_name(self, resource: Resource, expression: Any) -> str | None:
        """A provider's name; for a role mapping of a user pool this is ``endpoint:client id``."""
        found = [str(one) for one in self._values_of(resource, expression)]
        return ":".join(found) if found and len(found) <= 2 else None

    def _one(self, resource: Resource, expression: Any) -> Any:
        found = self._values_of(resource, expression)
        return found[0] if len(found) == 1 else None

    def _values_of(self, resource: Resource, expression: Any) -> list[Any]:
        return self._values(resource.module, expression, resource.index)

    def _values(self, module: str, expression: Any, index: int | str | None) -> list[Any]:
        """The attributes that an expression of a module names, in its order, as far as they are known."""
        constant = _dict(expression).get("constant_value")
        if constant is not None:
            return [constant] if isinstance(constant, str | int) else []
        found: list[Any] = []
        for reference in _list(_dict(expression).get("references")):
            if isinstance(reference, str):
                key = (module, reference, index)
                if key not in self._referred:
                    self._referred[
                        key
                    ] = []  # for a reference that leads back here, in a file that is made up
                    self._referred[key] = self._refer(module, reference, index)
                found += self._referred[key]
        return list(dict.fromkeys(value for value in found if isinstance(value, str | int)))

    def _refer(self, module: str, reference: str, index: int | str | None) -> list[Any]:
        parts = _INDEX.sub("", reference).split(".")
        if parts[0] == "var" and len(parts) >= 2 and module:
            parent, _, call = module.rpartition("module.")
            parent = parent.rstrip(".")
            calls = _dict(self._module_code(parent).get("module_calls"))
            expressions = _dict(_dict(calls.get(_INDEX.sub("", call))).get("expressions"))
            return self._values(parent, expressions.get(parts[1]), index)
        if parts[0] == "module" and len(parts) >= 3:
            inner = f"{f'{module}.' if module else ''}module.{parts[1]}"
            output = _dict(_dict(self._module_code(inner).get("outputs")).get(parts[2]))
            return self._values(self._instance_of(inner), output.get("expression"), index)
        if len(parts) >= 3 and parts[0] not in ("var", "module"):  # the resource alone follows its attribute
            found = self._find(module, f"{parts[0]}.{parts[1]}", reference, index)
            return [found.values[parts[2]]] if found and parts[2] in found.values else []
        return []

    def _instance_of(self, module: str) -> str:
        """The address of the only instance of a module without its index."""
        found = {
            address for address, _ in self._resources if _INDEX.sub("", address) == _INDEX.sub("", module)
        }
        return found.pop() if len(found) == 1 else module

    def _find(self, module: str, name: str, reference: str, index: int | str | None) -> Resource | None:
        instances = self._resources.get((module, name), [])
        if len(instances) == 1:
            return instances[0]
        written = re.search(r"\[(?:\"(.*?)\"|(\d+))\]", reference)
        key = index if written is None else written[1] if written[1] is not None else int(written[2])
        return next((one for one in instances if one.index == key), None)

    def _code_of(self, resource: Resource) -> dict[str, Any]:
        wanted = (resource.type, resource.name)
        for one in _list(self._module_code(resource.module).get("resources")):
            if isinstance(one, dict) and (one.get("type"), one.get("name")) == wanted:
                return one
        return {}

    def _module_code(self, module: str) -> dict[str, Any]:
        """The code of a module by its address, whatever its indexes are."""
        code = self._root
        for name in re.findall(r"module\.([^.\[]+)", _INDEX.sub("", module)):
            code = _dict(_dict(_dict(code.get("module_calls")).get(name)).get("module"))
        return code


def _roles_by_name(arns: Sequence[str]) -> dict[str, str]:
    """
    Find the role of guests and that of users in a plan that has a pool's roles without their keys.

    It is the guests' role whose name says so; of two others, the first is for authenticated users.
    """
    guests = [arn for arn in arns if re.search("unauth|guest|anon", arn.rpartition("/")[2], re.IGNORECASE)]
    users = [arn for arn in arns if arn not in guests]
    if not guests and len(users) > 1:
        users, guests = users[:1], users[1:]
    return {
        **({"authenticated": users[0]} if users else {}),
        **({"unauthenticated": guests[0]} if guests else {}),
    }


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
