# SPDX-License-Identifier: Apache-2.0
# A client of the attestation service and the reference values on Google's gRPC library. Arguments: the folder of the generated
# code, the address, the administrator's token. Reads one JSON of what to send, writes one JSON of what came.

import json
import sys

sys.path.insert(0, sys.argv[1])
import grpc  # noqa: E402
import attestation_pb2 as a  # noqa: E402
import attestation_pb2_grpc as a_grpc  # noqa: E402
import reference_pb2 as r  # noqa: E402
import reference_pb2_grpc as r_grpc  # noqa: E402

channel = grpc.insecure_channel(sys.argv[2])
service = a_grpc.AttestationServiceStub(channel)
references = r_grpc.ReferenceValueProviderServiceStub(channel)
admin = (("authorization", "Bearer " + sys.argv[3]),)
sent = json.load(sys.stdin)


def refused(call):
    try:
        call()
        return "OK"
    except grpc.RpcError as error:
        own = dict(error.trailing_metadata()).get("adyton-error", "")
        return f"{error.code().name} {own.split(';')[0]}".strip()


def evaluate(**changes):
    one = {"tee": "sample", "evidence": sent["evidence"], "structured_runtime_data": sent["runtime_data"], **changes}
    request = a.AttestationRequest(verification_requests=[a.IndividualAttestationRequest(**one)])
    return service.AttestationEvaluate(request).attestation_token


message = r.ReferenceValueRegisterRequest(message=sent["message"])
query = r.ReferenceValueQueryRequest(reference_value_id="svn")
policy = a.SetPolicyRequest(policy_id="default_gpu", policy=sent["policy"])
out = {
    "without": refused(lambda: references.RegisterReferenceValue(message)),
    "wrong": refused(lambda: references.RegisterReferenceValue(message, metadata=(("authorization", "Bearer x"),))),
}
references.RegisterReferenceValue(message, metadata=admin)
found = references.QueryReferenceValue(query, metadata=admin)
out["svn"] = json.loads(found.reference_value_results)
missing = references.QueryReferenceValue(r.ReferenceValueQueryRequest(reference_value_id="no/such?"), metadata=admin)
out["missing"] = missing.reference_value_results != ""
out["ids"] = list(references.ListReferenceValues(r.ReferenceValueListRequest(), metadata=admin).reference_value_ids)
out["token"] = evaluate()
out["other"] = refused(lambda: evaluate(structured_runtime_data='{"nonce":"x"}'))
out["tee"] = refused(lambda: evaluate(tee="abacus"))
out["json"] = refused(lambda: evaluate(structured_runtime_data="{"))
out["challenge"] = service.GetAttestationChallenge(
    a.ChallengeRequest(inner={"tee": "tdx", "tee_params": "{}"})
).attestation_challenge
out["policy"] = [refused(lambda: service.SetAttestationPolicy(policy))]
service.SetAttestationPolicy(policy, metadata=admin)
tenant = admin + (("adyton-tenant", "acme"),)
out["tenant"] = list(references.ListReferenceValues(r.ReferenceValueListRequest(), metadata=tenant).reference_value_ids)
out["stranger"] = refused(
    lambda: references.ListReferenceValues(r.ReferenceValueListRequest(), metadata=admin + (("adyton-tenant", "no-one"),))
)
print(json.dumps(out))
