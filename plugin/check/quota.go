package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/limits"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// quota compares what install would create with what the quotas of the project leave. A
// Deployment without room for its pods says so only in a condition of its ReplicaSet.
func quota(ctx context.Context, c clusterLook) Finding {
	quotas, hidden, err := quotasOf(ctx, c)
	if err != nil {
		return Fail(c.Conn.Translate(err))
	}
	finding := Pass()
	if len(quotas) > 0 {
		demand, err := demandOf(ctx, c)
		if err != nil {
			return unreadable(c.Conn, err, "list pods in "+c.Namespace, "whether a quota leaves room for the app")
		}
		finding = judgeQuotas(c.World, quotas, demand)
	}
	if hidden != "" {
		return worstFirst([]Finding{finding, Unseen("list "+hidden+" in "+c.Namespace, "whether a quota leaves room for the app")})
	}
	return finding
}

// quotasOf are the quotas of the project, and those of the cluster that apply to it;
// hidden are the resources that this user may not list.
func quotasOf(ctx context.Context, c clusterLook) (quotas []limits.Quota, hidden string, err error) {
	own, err := listOf(ctx, c, kinds.ResourceQuota, c.Namespace)
	if apierrors.IsForbidden(err) {
		hidden, err = "resourcequotas", nil
	}
	if err != nil {
		return nil, "", err
	}
	for _, object := range own {
		var quota core.ResourceQuota
		if into(object, &quota) {
			quotas = append(quotas, limits.Quota{Name: "ResourceQuota " + quota.Name, Spec: quota.Spec, Used: quota.Status.Used})
		}
	}
	served, err := c.Conn.Discovery(ctx)
	if err != nil || !served.ServesGroup(kinds.AppliedClusterResourceQuota.GVR().Group) {
		return quotas, hidden, err
	}
	applied, err := listOf(ctx, c, kinds.AppliedClusterResourceQuota, c.Namespace)
	if apierrors.IsForbidden(err) {
		return quotas, strings.TrimPrefix(hidden+" and appliedclusterresourcequotas", " and "), nil
	}
	for _, object := range applied {
		var quota struct {
			Spec struct {
				Quota core.ResourceQuotaSpec `json:"quota"`
			} `json:"spec"`
			Status struct {
				Total core.ResourceQuotaStatus `json:"total"`
			} `json:"status"`
		}
		if into(object, &quota) {
			quotas = append(quotas, limits.Quota{Name: "ClusterResourceQuota " + object.GetName(), Spec: quota.Spec.Quota, Used: quota.Status.Total.Used})
		}
	}
	return quotas, hidden, err
}

// judgeQuotas: too little room for what is missing is an error; for what runs,
// but would not be let in again, a warning.
func judgeQuotas(w *live.World, quotas []limits.Quota, d demand) Finding {
	namespace := w.Namespace
	var missing, later, hidden []string
	fits := map[string]bool{}
	for _, quota := range quotas {
		for _, use := range d.needed {
			if unstated := quota.Unstated(use); len(unstated) > 0 {
				missing = append(missing, quota.Name+" accepts only pods that state "+strings.Join(unstated, ", ")+"; "+use.Object+" does not")
				for _, one := range unstated {
					what, _, _ := strings.Cut(one, " ")
					fits[settingOf(use.Object, core.ResourceName(what))] = true
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(quota.Spec.Hard)) {
			text, missed := overQuota(quota, name, d)
			switch {
			case text == "":
				if limits.ByClass(name) && d.hidden != "" {
					hidden = append(hidden, quota.Name)
				}
				continue
			case missed:
				missing = append(missing, text)
			default:
				later = append(later, text)
			}
			_, objects := quota.Sum(name, d.needed)
			for _, object := range objects {
				fits[settingOf(object, name)] = true
			}
		}
	}
	delete(fits, "")
	next := advice.Command("oc describe quota", "-n", namespace) + "\nfree something there, or ask a cluster admin for more"
	if len(fits) > 0 {
		next += ", or let the app take less: " + installIn(w, settings(slices.Sorted(maps.Keys(fits)))...)
	}
	missing, later = distinct(missing), distinct(later)
	switch {
	case len(missing) > 0:
		return Refuse("the quota of project "+namespace+" has no room for the app", plain.Line(strings.Join(missing, "; ")), next)
	case len(later) > 0:
		return Warn("the quota of project "+namespace+" has no room for the app's pods when they are recreated", plain.Line(strings.Join(later, "; ")), next)
	case len(hidden) > 0:
		return Unseen(d.hidden, "whether "+strings.Join(distinct(hidden), ", ")+" has room for the app's volume")
	}
	return Pass()
}

// overQuota says of a resource of a quota that there is too little of it, and whether
// something is missing that does not fit in.
func overQuota(quota limits.Quota, name core.ResourceName, d demand) (text string, missed bool) {
	hard := quota.Spec.Hard[name]
	want, objects := quota.Sum(name, d.needed)
	have, _ := quota.Sum(name, d.have)
	others := quota.Used[name].DeepCopy()
	others.Sub(have)
	if others.Sign() < 0 { // the quota controller has not counted yet
		others.Sub(others)
	}
	sum := others.DeepCopy()
	sum.Add(want)
	if want.IsZero() || sum.Cmp(hard) <= 0 {
		return "", false
	}
	return fmt.Sprintf("%s allows %s of %s, %s is used by others, and %s needed for %s",
		quota.Name, hard.String(), name, others.String(), phraseNeeded(want.String()), strings.Join(objects, ", ")), have.Cmp(want) < 0
}

func phraseNeeded(amount string) string {
	if amount == "1" {
		return "1 is"
	}
	return amount + " are"
}

// settingOf is the value that decides how much of a resource an object takes, with a
// placeholder; "" if there is none.
func settingOf(object string, name core.ResourceName) string {
	if strings.HasPrefix(object, "PersistentVolumeClaim ") && strings.HasSuffix(string(name), "requests.storage") {
		return "storage.size=SIZE"
	}
	values := valuesOf(strings.TrimPrefix(object, "Deployment "))
	side, of, sided := strings.Cut(string(name), ".")
	if !sided {
		side, of = "requests", string(name)
	}
	if values == "" || side != "requests" && side != "limits" || !slices.Contains([]string{"cpu", "memory", "ephemeral-storage"}, of) {
		return ""
	}
	return values + ".resources." + side + "." + of + "=AMOUNT"
}

// valuesOf is where the values of a Deployment are, "" if it is none of the chart's.
func valuesOf(deployment string) string {
	return map[string]string{frontendName: "frontend", microserviceName: "microservice"}[deployment]
}

// settings are the flags that set values.
func settings(values []string) []string {
	var flags []string
	for _, value := range values {
		flags = append(flags, "--set", value)
	}
	return flags
}
