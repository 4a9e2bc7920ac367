package health

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// What a pod with an AWS identity has, by its own template or by the pod identity
// webhook (FACTS 10.2).
const (
	roleVariable = "AWS_ROLE_ARN"
	tokenVolume  = "aws-iam-token"
)

// MissingIdentity says what of its AWS identity a pod lacks; empty if nothing. An
// empty roleARN accepts any.
func MissingIdentity(pod *unstructured.Unstructured, roleARN string) string {
	volume := false
	for _, v := range Maps(pod.Object, "spec", "volumes") {
		volume = volume || Text(v, "name") == tokenVolume
	}
	if !volume {
		return "no volume " + tokenVolume
	}
	for _, list := range []string{"initContainers", "containers"} {
		for _, c := range Maps(pod.Object, "spec", list) {
			role := ""
			for _, e := range Maps(c, "env") {
				if Text(e, "name") == roleVariable {
					role = Text(e, "value")
				}
			}
			switch {
			case role == "":
				return "no " + roleVariable + " in " + Text(c, "name")
			case roleARN != "" && role != roleARN:
				return roleVariable + " in " + Text(c, "name") + " is " + role
			}
		}
	}
	return ""
}
