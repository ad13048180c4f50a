"""ConfirmDevice, UpdateDeviceStatus, GetDevice, ListDevices and ForgetDevice."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.model.pagination import last_shown, page
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored import sign_ins
from cognito_credentials.emulator.stored.sign_ins import Device
from cognito_credentials.emulator.user_pools import refusals
from cognito_credentials.emulator.user_pools.tokens import API_SCOPE, Access, read_access_token

Request = Mapping[str, Any]
_MOST_BYTES = 400
_MOST_LISTED = 60


def confirm_device(service: Service, request: Request) -> Mapping[str, Any]:
    """ConfirmDevice: the verifier of the device's password."""
    access, device = _device(service, request)
    config: Mapping[str, str] = request.get("DeviceSecretVerifierConfig", {})
    numbers = {name: _number(config.get(name, "")) for name in ("Salt", "PasswordVerifier")}
    sign_ins.save_device(
        service.state,
        replace(
            device,
            name=request.get("DeviceName", ""),
            salt=numbers["Salt"],
            verifier=numbers["PasswordVerifier"],
            is_remembered=access.pool.devices == "always",
            modified_ms=service.clock.now_ms(),
        ),
    )
    return {"UserConfirmationNecessary": access.pool.devices != "always"}


def update_device_status(service: Service, request: Request) -> Mapping[str, Any]:
    """UpdateDeviceStatus: whether the device is remembered."""
    _, device = _confirmed(service, request)
    status = request.get("DeviceRememberedStatus", "not_remembered")
    changed = replace(device, is_remembered=status == "remembered", modified_ms=service.clock.now_ms())
    sign_ins.save_device(service.state, changed)
    return {}


def get_device(service: Service, request: Request) -> Mapping[str, Any]:
    """GetDevice."""
    _, device = _confirmed(service, request)
    return {"Device": _described(device)}


def list_devices(service: Service, request: Request) -> Mapping[str, Any]:
    """ListDevices: those that were confirmed."""
    user = _access(service, request).user
    limit = request.get("Limit") or _MOST_LISTED
    name = f"devices {user.sub}"
    last = last_shown(name, request.get("PaginationToken"))
    devices = sign_ins.list_devices(service.state, user.pool_id, user.sub, last, assumed.MOST_DEVICES)
    shown, following = page(name, [(number, one) for number, one in devices if one.is_confirmed], limit)
    answer: dict[str, Any] = {"Devices": [_described(device) for device in shown]}
    if following:
        answer["PaginationToken"] = following["NextToken"]
    return answer


def forget_device(service: Service, request: Request) -> None:
    """ForgetDevice: tokens that are bound to it cannot be refreshed any more."""
    _, device = _device(service, request)
    sign_ins.forget_device(service.state, device.key)


def _access(service: Service, request: Request) -> Access:
    return read_access_token(service, request.get("AccessToken", ""), API_SCOPE)


def _device(service: Service, request: Request) -> tuple[Access, Device]:
    access = _access(service, request)
    user = access.user
    device = sign_ins.find_device(service.state, user.pool_id, user.sub, request["DeviceKey"])
    if device is None:
        raise refusals.device_not_found()
    return access, device


def _confirmed(service: Service, request: Request) -> tuple[Access, Device]:
    access, device = _device(service, request)
    if not device.is_confirmed:
        raise refusals.device_not_found()
    return access, device


def _described(device: Device) -> Mapping[str, Any]:
    status = "remembered" if device.is_remembered else "not_remembered"
    attributes = {
        "device_status": "valid",
        "device_name": device.name,
        "dev:device_remembered_status": status,
    }
    return {
        "DeviceKey": device.key,
        "DeviceAttributes": [{"Name": name, "Value": value} for name, value in attributes.items() if value],
        "DeviceCreateDate": device.created_ms / 1000,
        "DeviceLastModifiedDate": device.modified_ms / 1000,
        "DeviceLastAuthenticatedDate": device.last_used_ms / 1000,
    }


def _number(text: str) -> str:
    """A number of a verifier, from base64 to hexadecimal."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not 0 < len(data) <= _MOST_BYTES:
        raise assumed.bad_device_verifier()
    return data.hex()
