package policy

snp(measurement) := {"submods": {"cpu0": {
	"ear.status": "affirming",
	"ear.veraison.annotated-evidence": {"snp": {"measurement": measurement}},
}}}

tdx(measurement) := {"submods": {"cpu0": {
	"ear.status": "affirming",
	"ear.veraison.annotated-evidence": {"tdx": {"quote": {"body": {"rtmr_2": measurement}}}},
}}}

may(token, path) if allow with input as token with data["resource-path"] as split(path, "/")

test_inference_reads_models if may(snp("d1d1d1d1"), "models/key/llm")

test_by_another_tee if may(tdx("d1d1d1d1"), "models/key/llm")

test_inference_reads_no_datasets if not may(snp("d1d1d1d1"), "datasets/key/patients")

test_training_reads_both[path] if {
	some path in ["models/key/llm", "datasets/key/patients"]
	may(snp("d2d2d2d2"), path)
}

test_pattern_is_whole[path] if {
	some path in ["models/key/llm/more", "models/cert/llm", "x/models/key"]
	not may(snp("d1d1d1d1"), path)
}

test_operator_reads_all if may(snp("d3d3d3d3"), "any/thing/there")

test_unknown_workload if not may(snp("ffff"), "models/key/llm")

test_not_affirmed if {
	token := json.patch(snp("d1d1d1d1"), [{"op": "replace", "path": "/submods/cpu0/ear.status", "value": "warning"}])
	not may(token, "models/key/llm")
}

test_kind if {
	software := {"submods": {"cpu0": {
		"ear.status": "affirming",
		"ear.veraison.annotated-evidence": {"sample": {}},
	}}}
	not kind_is_trusted with input as software with data["resource-path"] as ["datasets", "key", "patients"]
}
