# SPDX-License-Identifier: Apache-2.0
# An external plugin on Google's gRPC library; prints its port. The generated code stands in the folder that is named.

import sys
from concurrent import futures

sys.path.insert(0, sys.argv[1])
import grpc  # noqa: E402

try:
    import kbs_plugin_pb2 as messages
    import kbs_plugin_pb2_grpc as service
except ImportError:
    import importlib

    messages = importlib.import_module("kbs-plugin_pb2")
    service = importlib.import_module("kbs-plugin_pb2_grpc")


class Plugin(service.KbsPluginServicer):
    def ValidateAuth(self, request, context):
        return messages.ValidateAuthResponse(requires_admin_auth=request.method == "DELETE")

    def NeedsEncryption(self, request, context):
        return messages.NeedsEncryptionResponse(requires_payload_encryption=True)

    def Handle(self, request, context):
        return messages.PluginResponse(body=b"hello " + request.body + b" at " + request.path[0].encode())


server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
service.add_KbsPluginServicer_to_server(Plugin(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
server.wait_for_termination()
