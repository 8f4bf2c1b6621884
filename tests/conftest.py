"""What all tests share: property tests are judged by what they find, never by how long a shared machine takes."""

from hypothesis import HealthCheck, settings

settings.register_profile("shared machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")
