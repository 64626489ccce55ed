"""The page: the only package that imports gradio."""

import os

# Read by gradio and by huggingface_hub when they are imported, which happens further down in this package: no request
# may leave the server, whatever the machine's own environment says.
os.environ.update(
    GRADIO_ANALYTICS_ENABLED="False",
    GRADIO_RUN_HISTORY="False",
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
)
