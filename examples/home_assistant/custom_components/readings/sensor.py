"""What Home Assistant shows: the temperature among the readings."""

from __future__ import annotations

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import UnitOfTemperature
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .coordinator import ReadingsCoordinator


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry[ReadingsCoordinator],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensor."""
    async_add_entities([Temperature(entry.runtime_data, str(entry.unique_id))])


class Temperature(CoordinatorEntity[ReadingsCoordinator], SensorEntity):
    """Not available while the cloud cannot be reached and nothing valid is held."""

    _attr_name = "Temperature"
    _attr_device_class = SensorDeviceClass.TEMPERATURE
    _attr_native_unit_of_measurement = UnitOfTemperature.CELSIUS

    def __init__(self, coordinator: ReadingsCoordinator, account: str) -> None:
        super().__init__(coordinator)
        self._attr_unique_id = f"{account}-temperature"

    @property
    def native_value(self) -> float:
        """The newest temperature."""
        return float(self.coordinator.data["temperature"])
