package manual

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/shell"
)

// waitForBucket waits for a Bucket that is among what was applied. Pods wait for
// it themselves; who follows the steps sees it here first.
func (s Source) waitForBucket(some []apply.Write) []step {
	for _, write := range some {
		if write.Ref.IsBucket() {
			return []step{{
				title:    "Wait for the bucket",
				notes:    []string{"If it does not come, the conditions of the Bucket say why, and so does " + s.Tool + " ostoy-s3 check."},
				commands: s.inProject("wait", "--for=condition=ACK.ResourceSynced", qualified(write.Ref), s.timeout()) + "\n",
			}}
		}
	}
	return nil
}

func (s Source) timeout() string { return "--timeout=" + s.Timeout.String() }

// ending waits for the workload and looks whether it works.
func (s Source) ending() []step {
	var steps []step
	wait := step{title: "Wait for the pods"}
	for _, write := range s.Writes {
		if isDeployment(write) {
			wait.commands += s.inProject("rollout", "status", qualified(write.Ref), s.timeout()) + "\n"
		}
	}
	if s.Wait && wait.commands != "" {
		steps = append(steps, wait)
	}
	return append(steps, s.look())
}

// look tells how to see that it works.
func (s Source) look() step {
	look := step{title: "Look whether it works", commands: s.address()}
	if s.Verify {
		look.notes = append(look.notes, "To verify the app's access to its bucket and that other access is refused:", "  "+s.verify())
	}
	return look
}

// verify is the command that proves that it works; a plugin's flags come last.
func (s Source) verify() string {
	words := append([]string{s.Tool, "ostoy-s3", "verify", "-n", s.Facts.Namespace.Value}, s.Flags...)
	if s.Profile != "" {
		words = append(words, "--profile", s.Profile)
	}
	return shell.Words(words...)
}

// address prints where the app is, or what shows it.
func (s Source) address() string {
	if s.Expose == nil {
		return comment("for http://localhost:8080, until Ctrl-C:") + comment(s.inProject("port-forward", "service/ostoy-frontend-svc", "8080:8080"))
	}
	ref := qualified(apply.RefOf(s.Expose))
	if s.Expose.GetKind() != "Route" {
		return s.inProject("get", ref) + "\n"
	}
	scheme := "http"
	if _, encrypted, _ := unstructured.NestedMap(s.Expose.Object, "spec", "tls"); encrypted {
		scheme = "https"
	}
	return s.inProject("get", ref, "-o", "jsonpath="+scheme+`://{.spec.host}{"\n"}`) + "\n"
}
