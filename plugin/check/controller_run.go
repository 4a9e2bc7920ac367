package check

import (
	"context"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
)

// running: one ready pod of any controller that looks at this project is enough, if none
// crashes.
func (c controllerLook) running(ctx context.Context) Finding {
	if crash := c.crash(ctx); crash.Status != Passed {
		return crash
	}
	all, err := c.ofInterest(ctx)
	if err != nil {
		return c.unjudged(err, "list pods where the controller is", "whether its pod is ready")
	}
	for _, one := range all {
		for _, pod := range one.Pods {
			if pod.Ready() {
				return Pass()
			}
		}
	}
	finding := notRunning(all[0])
	finding.Why += "; " + c.waiting(ctx)
	finding.Next += c.letGo(ctx)
	return finding
}

// notRunning says why a controller has no ready pod.
func notRunning(one ack.Told) Finding {
	what := "the ACK S3 controller is not running (" + one.String() + ")"
	if one.Replicas() == 0 {
		return Refuse(what, "it is scaled to 0", advice.Command("oc scale", append(one.Words(), "--replicas=1")...))
	}
	for _, pod := range one.Pods {
		if state := health.Pod(pod.Object, health.Around{}).Settled(); state.Text != "" {
			return Refuse(what, awserr.Redact(state.Text), state.Hint)
		}
	}
	why := "its pod is not ready"
	for _, condition := range one.Status.Conditions {
		if condition.Type == "ReplicaFailure" && condition.Status == "True" {
			why = "its pods cannot be made: " + awserr.Redact(condition.Message)
		}
	}
	return Refuse(what, why, advice.Command("oc describe", one.Words()...))
}

// crash looks for a pod that ends over and over, and into its log.
func (c controllerLook) crash(ctx context.Context) Finding {
	return c.each(ctx, "whether it crashes, and its last words", func(one ack.Told) Finding {
		for _, pod := range one.Pods {
			if !pod.Crashes(one.Container.Name) {
				continue
			}
			log, err := c.LastLog(ctx, pod.Namespace, pod.Name, one.Container.Name)
			if err != nil {
				log = ""
			}
			return faulty(one.CrashFault(pod, log))
		}
		return Pass()
	})
}

// single: one controller manages the Buckets of a project, and one operator owns the kind.
func (c controllerLook) single(ctx context.Context) Finding {
	found := c.alone(ctx)
	if found.Status == Skipped || found.Status == NotAllowed {
		return found
	}
	return worstFirst([]Finding{found, c.owner(ctx)})
}

// alone: two controllers on one Bucket undo each other's work, and one of another account
// creates a second bucket of the name, or fails indefinitely.
func (c controllerLook) alone(ctx context.Context) Finding {
	all, err := c.ofInterest(ctx)
	if err != nil {
		return c.unjudged(err, "get configmaps where the controllers are", "whether two look at this project")
	}
	var names []string
	for _, one := range all {
		if one.Replicas() > 0 && one.Flags.Watches(c.Namespace) {
			names = append(names, one.String())
		}
	}
	if len(names) < 2 {
		return Pass()
	}
	last := all[len(all)-1]
	return Refuse(
		fmt.Sprintf("%d ACK S3 controllers look at the Buckets of project %s", len(names), c.Namespace),
		"each works on all of them, with its own role and region, and undoes what the other did: "+strings.Join(names, "; "),
		"keep one; what the others watch is their --watch-namespace; to stop one: "+advice.Command("oc scale", append(last.Words(), "--replicas=0")...),
	)
}

// watching: a controller that is told to look elsewhere never sees the Bucket.
func watching(one ack.Told, namespace string) Finding {
	if !one.Flags.Watches(namespace) {
		return Refuse(
			"the ACK S3 controller does not look at project "+namespace+" ("+one.String()+")",
			"it watches only "+strings.Join(one.Flags.Pieces("watch-namespace"), ", ")+": the Bucket gets no status",
			setting(one.Controller, "ACK_WATCH_NAMESPACE", "", "leave it empty (all projects) or name the project, too"),
		)
	}
	if kinds := one.Flags.Pieces("reconcile-resources"); len(kinds) > 0 && !strings.Contains(strings.ToLower(strings.Join(kinds, ",")), "bucket") {
		return Refuse(
			"the ACK S3 controller does not look at Buckets ("+one.String()+")",
			"--reconcile-resources names only "+strings.Join(kinds, ", "),
			"add Bucket to it, or take it out",
		)
	}
	return Pass()
}

// patchData is the command that gives keys of a controller's ConfigMap these values.
func patchData(c ack.Controller, name string, data map[string]string) string {
	return advice.MergePatch(map[string]any{"data": data}, "configmap", name, "-n", c.Namespace)
}

// setting is what to type to give a controller a setting.
func setting(c ack.Controller, key, value, note string) string {
	names, _ := ack.Needs(c.Container)
	if len(names) == 0 || c.Installer == ack.Helm {
		return "set " + key + " where the controller was installed (" + note + "), for example in the values of its chart"
	}
	return note + ": " + patchData(c, names[0], map[string]string{key: value}) + "\n" + c.Restart()
}
