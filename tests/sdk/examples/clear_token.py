from taegis_sdk_python.config import write_to_config

write_to_config("US1", "access_token", "")
