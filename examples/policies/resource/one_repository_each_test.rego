package policy

token(status, named) := {"submods": {"cpu0": {
	"ear.status": status,
	"ear.veraison.annotated-evidence": {"init_data_claims": named},
}}}

may(claims, path) if allow with input as claims with data["resource-path"] as split(path, "/")

test_own if may(token("affirming", {"repository": "team-a"}), "team-a/key/disk")

test_anothers if not may(token("affirming", {"repository": "team-a"}), "team-b/key/disk")

test_not_affirmed if not may(token("warning", {"repository": "team-a"}), "team-a/key/disk")

test_no_init_data if not may(token("affirming", {}), "team-a/key/disk")
