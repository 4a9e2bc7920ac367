package status

import (
	"cmp"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/presence"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Found is all that was seen of one install.
type Found struct {
	Facts     render.Facts
	Now       time.Time
	Again     string // the command that puts things right
	Tighten   string // the command that takes from an adopted role what the app does not need
	RoleARN   string // of the role that install would make
	Inventory apply.Inventory
	Plan      *apply.Plan // made with apply.Guess and Options.Look
	Left      exposure.By // the Route or Ingress that exists although the values ask for none
	Pods      []*unstructured.Unstructured
	PodsErr   error
	S3        S3
	IAM       IAM
}

// frontend is the Deployment whose pods call AWS.
const frontend = "ostoy-frontend"

// Of judges what was found.
func Of(f Found) Report {
	r := Report{
		Namespace: f.Facts.Namespace.Value, Installed: installed(f), Bucket: bucketOf(f), Role: roleOf(f),
		ServiceAccount: serviceAccount(f), Volume: f.only("PersistentVolumeClaim", f.volumeHealth), Route: route(f),
		Access: exposed(f).Words(), Drift: driftOf(f),
	}
	r.Workloads, r.Pods, r.PodsPart = workloads(f, r.Bucket.Mark == report.OK)
	var marks []report.Mark
	for _, part := range r.parts() {
		marks = append(marks, part.Mark)
	}
	r.Mark = report.Worst(marks...)
	return r
}

// presence is whether the app is installed, and what is kept of it, by what was found.
func (f Found) presence() presence.Seen {
	seen := presence.Seen{Namespace: f.Facts.Namespace.Value, Inventory: f.Inventory, Unknown: cmp.Or(f.S3.BucketErr, f.IAM.RoleErr)}
	for _, item := range f.Plan.All() {
		if item.Live != nil {
			seen.Objects = append(seen.Objects, item.Live)
		}
	}
	if f.S3.BucketErr == nil {
		seen.S3.State = f.S3.Bucket
	}
	if f.S3.ContentsErr == nil {
		seen.S3.Contents, seen.S3.More = &f.S3.Contents, f.S3.More
	}
	if role := f.IAM.Role; f.IAM.RoleErr == nil && role != nil {
		if arn, err := render.ParseARNOf(f.RoleARN, "iam", "role"); err == nil && iam.App.Owns(arn.Name(), role, f.Facts) {
			seen.Role = arn.Name()
		}
	}
	return seen
}

// readable reports whether it could be seen which objects exist.
func (f Found) readable() bool {
	return !slices.ContainsFunc(f.Plan.Items, func(item *apply.Item) bool {
		return item.Live == nil && apierrors.IsForbidden(item.Err)
	})
}

// BucketObject is the Bucket resource as the cluster has it; nil without one.
func (f Found) BucketObject() *unstructured.Unstructured {
	if item := f.item("Bucket", ""); item != nil {
		return item.Live
	}
	return nil
}

// check is the command that says more.
func (f Found) check() string {
	return advice.Command("oc ostoy-s3 check", "-n", f.Facts.Namespace.Value)
}

func installed(f Found) Installed {
	i := Installed{
		Since: f.Inventory.Created(), Recorded: f.Inventory.Written(),
		Record: shownRecord(f.Inventory.Record), Objects: f.Inventory.Objects, Inventory: "found",
	}
	i.Version = i.Record.Version
	switch {
	case !f.Inventory.Found:
		i.Inventory = "missing"
	case f.Inventory.Foreign:
		i = Installed{Inventory: "somebody else's"}
	default:
		i.By = apply.Manager
	}
	for _, item := range f.Plan.Items {
		if item.Live == nil {
			continue
		}
		if by := apply.DeliveredBy(item.Live); by != "" {
			i.By = plain.Line(by)
		}
		if born := item.Live.GetCreationTimestamp().Time; i.Inventory != "found" && (i.Since.IsZero() || born.Before(i.Since)) {
			i.Since = born
		}
	}
	return i
}

// item is the object of the plan of that kind; a name chooses among several.
func (f Found) item(kind, name string) *apply.Item {
	at := slices.IndexFunc(f.Plan.Items, func(i *apply.Item) bool {
		return i.Ref.Kind == kind && (name == "" || i.Ref.Name == name)
	})
	if at < 0 {
		return nil
	}
	return f.Plan.Items[at]
}

// only judges the one object of a kind that the set has; an empty Part where it
// has none.
func (f Found) only(kind string, judge func(*unstructured.Unstructured) health.State) report.Part {
	item := f.item(kind, "")
	if item == nil {
		return report.Part{}
	}
	return f.part(item, judge)
}

// part judges an object of the plan.
func (f Found) part(item *apply.Item, judge func(*unstructured.Unstructured) health.State) report.Part {
	switch {
	case item.Live == nil && item.Err != nil:
		return report.Unseen(item.Err)
	case item.Live == nil:
		return report.Part{Mark: report.Wrong, Text: "it is not there", Hint: f.Again}
	}
	return report.Settled(judge(item.Live), item.Live, f.Now)
}

func serviceAccount(f Found) ServiceAccount {
	s := ServiceAccount{Name: render.ServiceAccount}
	item := f.item("ServiceAccount", render.ServiceAccount)
	if item == nil {
		return s
	}
	s.Part = f.part(item, func(account *unstructured.Unstructured) health.State {
		named := account.GetAnnotations()["eks.amazonaws.com/role-arn"]
		s.RoleARN = shown(named, advice.RoleARN)
		switch named {
		case f.RoleARN:
			return health.State{Text: "names the role", Ready: true}
		case "":
			return health.State{Text: "names no role", Level: health.Warn, Hint: f.Again}
		}
		return health.State{Text: "names another role, " + s.RoleARN, Level: health.Warn, Hint: f.Again}
	})
	return s
}

func route(f Found) Route {
	for _, kind := range []string{"Route", "Ingress"} {
		item := f.item(kind, "")
		if item == nil {
			continue
		}
		judge := health.Route
		if kind == "Ingress" {
			judge = health.Ingress
		}
		r := Route{Kind: kind}
		r.Part = f.part(item, func(object *unstructured.Unstructured) health.State {
			state := judge(object)
			r.URL = shown(state.URL, advice.Address)
			return state
		})
		return r
	}
	forward := advice.Command("oc port-forward", "-n", f.Facts.Namespace.Value, "service/ostoy-frontend-svc", "8080:8080")
	return Route{Part: report.Part{Mark: report.OK, Text: "none: " + forward}}
}

// exposed is the exposure by the objects that exist: what the app shows are the Secrets of
// its running Deployments, whatever the values say.
func exposed(f Found) exposure.Exposure {
	var live []*unstructured.Unstructured
	by := f.Left
	for _, item := range f.Plan.All() {
		if item.Live != nil {
			live = append(live, item.Live)
		}
	}
	for _, item := range f.Plan.Items {
		if exposure.IsKind(item.Ref.Kind) && item.Err != nil {
			by.Unread = item.Ref.String()
		}
	}
	if object := exposure.Among(live); object != nil {
		by = exposure.By{Object: object, Managed: apply.Ours(object)}
	}
	created := slices.DeleteFunc(live, func(object *unstructured.Unstructured) bool {
		return object.GetKind() == "Secret" && !apply.Ours(object)
	})
	return exposure.Of(f.Facts.Namespace.Value, created, by)
}
