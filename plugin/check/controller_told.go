package check

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// config holds what the controller is told against what it accepts, against the region of
// its pod, and against the project.
func (c controllerLook) config(ctx context.Context) Finding {
	return c.each(ctx, "its settings", func(one ack.Told) Finding {
		findings := []Finding{watching(one, c.Namespace)}
		if flaws := one.Flaws(one.Env, one.PodRegion()); len(flaws) > 0 {
			findings = append(findings, misconfigured(one, flaws, c.Facts.Region.Value))
		}
		// What the webhook puts into the pod wins over the ConfigMap, silently.
		if fault, is := one.RegionFault(); is {
			findings = append(findings, faulty(fault))
		}
		return worstFirst(findings)
	})
}

func misconfigured(one ack.Told, flaws []ack.Flaw, region string) Finding {
	c := one.Controller
	put, region := map[string]string{}, advice.Region(region).Word()
	var by []string // what has to be done by hand
	whys := make([]string, len(flaws))
	for i, f := range flaws {
		whys[i] = f.Setting + ": " + awserr.Redact(f.Why)
		switch {
		case f.Putable:
			put[f.Setting] = f.Put
		case f.Setting == "AWS_REGION":
			put[f.Setting] = region
		case strings.HasPrefix(f.Setting, "ConfigMap "):
			by = append(by, makeConfig(c, strings.TrimPrefix(f.Setting, "ConfigMap "), region))
		default:
			by = append(by, unset(one, f.Setting))
		}
	}
	next := strings.Join(append(by, putAll(c, put)...), "\n")
	return Refuse("the ACK S3 controller's settings are wrong: "+strings.Join(ack.Settings(flaws), ", ")+" ("+c.String()+")",
		strings.Join(whys, "; "),
		next+"\n"+c.Restart())
}

// unset is what to type to take a variable out of a controller's environment, where it is
// known who puts it there. OLM reverts what is changed of its Deployment.
func unset(one ack.Told, name string) string {
	configMaps, _ := ack.Needs(one.Container)
	_, plain := one.Env.Values[name]
	spelled := slices.ContainsFunc(one.Container.Env, func(v core.EnvVar) bool { return v.Name == name })
	take := "take " + name + " out of its environment: "
	switch {
	case one.Env.Has(name) && spelled && one.Installer != ack.OLM:
		return take + advice.Command("oc set env", append(one.Words(), name+"-")...)
	case plain && !spelled && len(configMaps) == 1:
		return take + advice.MergePatch(map[string]any{"data": map[string]any{name: nil}}, "configmap", configMaps[0], "-n", one.Namespace)
	}
	return take + advice.Command("oc set env", append(one.Words(), "--list")...) + " shows where it comes from"
}

// putAll is what to type to give the settings these values.
func putAll(c ack.Controller, put map[string]string) []string {
	names, _ := ack.Needs(c.Container)
	switch {
	case len(put) == 0:
		return nil
	case len(names) == 0:
		return []string{advice.Command("oc set env", append(c.Words(), pairs("", put)...)...)}
	}
	return []string{patchData(c, names[0], put)}
}

// makeConfig is what to type for a ConfigMap that every version starts with.
func makeConfig(c ack.Controller, name, region string) string {
	return advice.Command("oc create configmap", append([]string{name, "-n", c.Namespace}, pairs("--from-literal=", ack.SafeConfig(region))...)...)
}

// pairs are some values as words, KEY=VALUE, sorted.
func pairs(before string, values map[string]string) []string {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		words = append(words, before+key+"="+values[key])
	}
	return words
}

// adoptsSince and gateSince are the versions with the policy "adopt-or-create",
// and with its feature gate on from the start (runtime 0.45 and 0.51).
func adoptsSince() []int { return []int{1, 0, 29} }
func gateSince() []int   { return []int{1, 1, 0} }

func (c controllerLook) version(ctx context.Context) Finding {
	return c.each(ctx, "which version runs", func(one ack.Told) Finding {
		return judgeVersion(one.Controller, one.Flags, c.update(ctx, one.Controller))
	})
}

// update is what updates a controller. Only of one that ostoy-s3 has OLM install the command
// is known.
func (c controllerLook) update(ctx context.Context, one ack.Controller) string {
	if !c.subscribed(ctx, one) {
		return "whoever installed the controller updates it to 1.1.2 or later"
	}
	return "a cluster admin updates the controller: " + advice.Command("oc ostoy-s3 controller install --upgrade", advice.ControllerIn(one.Namespace)...)
}

// subscribed reports whether OLM installs a controller for a Subscription that is managed by
// ostoy-s3.
func (c controllerLook) subscribed(ctx context.Context, one ack.Controller) bool {
	all, err := c.List(ctx, kinds.Subscription.GVR(), "", "")
	return err == nil && slices.ContainsFunc(all, func(s *unstructured.Unstructured) bool {
		return s.GetNamespace() == one.Namespace && olm.Package(s) == ack.Package && apply.Ours(s)
	})
}

func judgeVersion(c ack.Controller, flags ack.Flags, update string) Finding {
	on, said := flags.Gate("ResourceAdoption")
	what := "the ACK S3 controller cannot take over a bucket that is there (" + c.String() + ")"
	if v := c.VersionText(); v != "" {
		what = "the ACK S3 controller " + v + " cannot take over a bucket that is there (" + c.String() + ")"
	}
	switch {
	case c.Older(adoptsSince()...):
		return Refuse(what, "it does not know the adoption policy adopt-or-create, which our Buckets name, and gives them up", update)
	case said && !on:
		return Warn(what, "its feature gate ResourceAdoption is off: a bucket that was kept is not found again by a new install",
			setting(c, "FEATURE_GATES", "", "it must not have ResourceAdoption=false"))
	case c.Older(gateSince()...) && !on:
		return Warn(what, "before 1.1.0 the feature gate ResourceAdoption is off: a bucket that was kept is not found again by a new install",
			update+"\nor "+setting(c, "FEATURE_GATES", "ResourceAdoption=true", "switch the feature gate on, as 1.1.0 does by default"))
	}
	return Pass()
}

// owner: a kind that two operators own keeps the second from being installed.
func owner(ctx context.Context, c controllerLook) Finding {
	crd, err := c.Get(ctx, kinds.CustomResourceDefinition.GVR(), "", "buckets.s3.services.k8s.aws")
	switch {
	case err != nil:
		return unreadable(c.Conn, err, "get customresourcedefinitions", "which operators own ACK's Bucket")
	case crd == nil:
		return Pass()
	}
	var owners []string
	unclaim := ""
	for key := range crd.GetLabels() {
		if name, is := strings.CutPrefix(key, "operators.coreos.com/"); is {
			owners = append(owners, "operator "+name)
		}
	}
	if name := crd.GetAnnotations()["meta.helm.sh/release-name"]; name != "" {
		owners = append(owners, plain.Line("Helm release "+name+" in "+crd.GetAnnotations()["meta.helm.sh/release-namespace"]))
		unclaim = "\nif the Helm release no longer exists: " +
			advice.Command("oc annotate", "customresourcedefinition/"+crd.GetName(), "meta.helm.sh/release-name-", "meta.helm.sh/release-namespace-")
	}
	if len(owners) < 2 {
		return Pass()
	}
	slices.Sort(owners)
	return Warn("several own ACK's Bucket: "+strings.Join(owners, ", "),
		"the next update of one of them is refused or takes fields away that another needs; whichever is removed first may take the kind, and with it every Bucket object, away",
		"keep one: "+advice.Command("oc get subscriptions.operators.coreos.com -A")+" and "+advice.Command("helm list -A")+
			" show them; before one is removed, see that every Bucket has deletion policy retain"+unclaim)
}

// olm looks at what the Operator Lifecycle Manager was asked for, and what it
// made of it, on clusters that have one.
func (c controllerLook) olm(ctx context.Context) Finding {
	served, err := c.Conn.Discovery(ctx)
	if err != nil {
		return Fail(err)
	}
	if !olm.Served(served) {
		return Leave("this cluster has no OLM")
	}
	subscriptions, err := c.List(ctx, kinds.Subscription.GVR(), "", "")
	if err != nil {
		return unreadable(c.Conn, err, "list subscriptions.operators.coreos.com in all namespaces", "whether the operator's installation waits for something")
	}
	var findings []Finding
	for _, one := range subscriptions {
		if olm.Package(one) == ack.Package {
			findings = append(findings, beside(ctx, c, one.GetNamespace(), subscription(ctx, c, one)))
		}
	}
	if len(findings) == 0 {
		return Leave("the operator is not installed by OLM")
	}
	return worstFirst(findings)
}

// beside lowers a refusal to a warning unless a controller that is proven is in the same
// namespace: on OpenShift every editor of a project can create a Subscription. Whether
// there is a controller is for controller-found to judge.
func beside(ctx context.Context, c controllerLook, namespace string, finding Finding) Finding {
	if finding.Status != Failed || finding.Err != nil {
		return finding
	}
	found, err := c.Controllers(ctx)
	if err != nil || !slices.ContainsFunc(found.Proven, func(one ack.Controller) bool { return one.Namespace == namespace }) {
		finding.Status = Warned
	}
	return finding
}

// subscription judges one.
func subscription(ctx context.Context, c controllerLook, s *unstructured.Unstructured) Finding {
	is, of := olm.InstallOf(s), "the operator "+ack.Package+" in "+s.GetNamespace()
	var csv, plans *unstructured.Unstructured
	var err error
	switch {
	case is.Installed != "":
		csv, err = c.Get(ctx, kinds.ClusterServiceVersion.GVR(), s.GetNamespace(), is.Installed)
	case is.Plan != "":
		plans, err = c.Get(ctx, kinds.InstallPlan.GVR(), s.GetNamespace(), is.Plan)
	}
	if err != nil {
		return Fail(c.Conn.Translate(err))
	}
	var plan *olm.InstallPlan
	if plans != nil {
		named := olm.PlanOf(plans)
		plan = &named
	}
	j := olm.Judge(s, csv, plan, time.Now())
	if j.Upgrade {
		return progress(j, "OLM cannot upgrade "+of)
	}
	return progress(j, "OLM has not installed "+of)
}

// progress is the finding for how far OLM is.
func progress(j olm.Judgement, what string) Finding {
	why, next := awserr.Redact(strings.TrimPrefix(j.What+": "+j.Why, ": ")), cmp.Or(j.Next, "oc ostoy-s3 check --wait")
	switch j.Progress {
	case olm.Installed:
		return Pass()
	case olm.Stuck:
		return Refuse(what, why, next)
	}
	return Warn(what, why, next)
}
