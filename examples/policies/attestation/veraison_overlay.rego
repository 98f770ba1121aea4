# An overlay in Veraison's form: what the scheme found stays, but firmware older than this organisation accepts is unsafe, and
# a realm that runs something unlisted is not recognized.
package policy

least_firmware := "2.10.0"

realms := {"realm-a", "realm-b"}

hardware := UNSAFE_HW if {
	some component in evidence.platform["cca-platform-sw-components"]
	component["measurement-type"] == "TF-A"

	# The firmware is older than is accepted.
	semver_cmp(component.version, least_firmware) == -1
}

executables := UNRECOGNIZED_RT if {
	# The realm is not on the list.
	not evidence.realm["cca-realm-personalization-value"] in realms
}

added_claims := {"organisation.realm": evidence.realm["cca-realm-personalization-value"]}
