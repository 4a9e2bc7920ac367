package health

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
)

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
				return "no " + roleVariable + " in " + plain.Line(Text(c, "name"))
			case roleARN != "" && role != roleARN:
				return roleVariable + " in " + plain.Line(Text(c, "name")) + " is " + advice.RoleARN(role).String()
			}
		}
	}
	return ""
}

// RoleOf is the role that a pod's containers are told to assume, "" for none.
func RoleOf(pod *unstructured.Unstructured) string {
	for _, c := range Maps(pod.Object, "spec", "containers") {
		for _, e := range Maps(c, "env") {
			if Text(e, "name") == roleVariable {
				return Text(e, "value")
			}
		}
	}
	return ""
}

// PodReady reports whether a pod says of itself that it is ready.
func PodReady(pod *unstructured.Unstructured) bool {
	c, _ := find(Conditions(pod), "Ready")
	return c.status == "True"
}
