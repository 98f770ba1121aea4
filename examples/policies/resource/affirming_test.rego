package policy

part(status, tee) := {"ear.status": status, "ear.veraison.annotated-evidence": {tee: {}}}

test_affirming if allow with input.submods as {"cpu0": part("affirming", "tdx")} with data.plugin as "resource"

test_with_a_device if {
	parts := {"cpu0": part("affirming", "tdx"), "gpu0": part("affirming", "nvidia")}
	allow with input.submods as parts with data.plugin as "resource"
}

test_status[status] if {
	some status in ["none", "warning", "contraindicated"]
	not allow with input.submods as {"cpu0": part(status, "tdx")} with data.plugin as "resource"
}

test_one_of_two if {
	parts := {"cpu0": part("affirming", "tdx"), "gpu0": part("warning", "nvidia")}
	not allow with input.submods as parts with data.plugin as "resource"
}

test_software if {
	not allow with input.submods as {"cpu0": part("affirming", "sample")} with data.plugin as "resource"
}

test_nothing if not allow with input.submods as {} with data.plugin as "resource"

test_another_plugin if {
	not allow with input.submods as {"cpu0": part("affirming", "tdx")} with data.plugin as "pki"
}
