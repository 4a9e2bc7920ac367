package status

import (
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
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
	Plan      *apply.Plan // made with Options.Guess and Look
	Pods      []*unstructured.Unstructured
	PodsErr   error
	AWS       AWS
}

// frontend is the Deployment whose pods call AWS.
const frontend = "ostoy-frontend"

// Of judges what was found.
func Of(f Found) Report {
	r := Report{Namespace: f.Facts.Namespace.Value, Installed: f.installed(), Role: f.role()}
	r.Bucket = f.bucket()
	r.ServiceAccount = f.serviceAccount()
	r.workloads(f)
	r.Volume = f.only("PersistentVolumeClaim", health.Volume)
	r.Route = f.route()
	r.Drift = f.drift()
	marks := []Mark{r.Bucket.Mark, r.Role.Mark, r.ServiceAccount.Mark, r.Volume.Mark, r.Route.Mark, r.Drift.Mark}
	for _, w := range r.Workloads {
		marks = append(marks, w.Mark)
	}
	for _, p := range r.Pods {
		marks = append(marks, p.Mark)
	}
	r.Mark = Worst(marks...)
	return r
}

// Anything reports whether there is anything of an install in the project, and
// whether that could be seen at all.
func (f Found) Anything() (there, seen bool) {
	there, seen = f.Inventory.Found && !f.Inventory.Foreign, true
	for _, item := range f.Plan.Items {
		there = there || item.Live != nil
		seen = seen && (item.Live != nil || !apierrors.IsForbidden(item.Err))
	}
	return there, seen
}

func (f Found) installed() Installed {
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
func (f Found) only(kind string, judge func(*unstructured.Unstructured) health.State) Part {
	item := f.item(kind, "")
	if item == nil {
		return Part{}
	}
	return f.part(item, judge)
}

// part judges an object of the plan.
func (f Found) part(item *apply.Item, judge func(*unstructured.Unstructured) health.State) Part {
	switch {
	case item.Live == nil && item.Err != nil:
		return Unseen(item.Err)
	case item.Live == nil:
		return Part{Wrong, "it is not there", f.Again}
	}
	return f.settled(judge(item.Live), item.Live)
}

// settled takes a state for what it is once it has lasted as long as its object:
// that is the most that can be told by one look.
func (f Found) settled(s health.State, object *unstructured.Unstructured) Part {
	return Settled(s, object, f.Now)
}

// Settled takes a state for what it is once it has lasted as long as its object.
func Settled(s health.State, object *unstructured.Unstructured, now time.Time) Part {
	age := now.Sub(object.GetCreationTimestamp().Time)
	for s.Late != nil && age >= s.After {
		s = *s.Late
	}
	return Part{MarkOf(s), plain.Line(s.Text), s.Hint}
}

// MarkOf is how a state is to be taken.
func MarkOf(s health.State) Mark {
	switch {
	case s.Ready:
		return OK
	case s.Level == health.Fail:
		return Wrong
	case s.Level == health.Warn:
		return Warning
	}
	return Busy
}

// Unseen is the Part of what could not be looked at.
func Unseen(err error) Part { return Part{Mark: Unknown, Text: Why(err)} }

// Why is a refusal in a few words: what right is missing, else the error itself
// on one line.
func Why(err error) string {
	var status apierrors.APIStatus
	if apierrors.IsForbidden(err) && asStatus(err, &status) {
		if d := status.Status().Details; d != nil && d.Kind != "" {
			kind := d.Kind
			if d.Group != "" {
				kind += "." + d.Group
			}
			return "not allowed: needs get and list on " + kind
		}
		return "not allowed"
	}
	return health.OneLine(strings.TrimSpace(err.Error()))
}

func (f Found) serviceAccount() ServiceAccount {
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

func (f Found) route() Route {
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
	return Route{Part: Part{Mark: OK, Text: "none: " + forward}}
}
