package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Recalled are the values of the last install that are used again.
type Recalled struct {
	render.Recorded
	// Lines are those that nothing given now takes the place of, as behind --set.
	Lines []string
	// Record is what this install records of its values.
	Record string
	// Skips says that the role is used as it is because the last install used it so
	// (--iam=skip). Doubt is why not, if only the inventory says that it did.
	Skips bool
	Doubt string
}

// RecallValues are the values of the last install of a project, by its inventory. The zero
// value is for an inventory that nothing shows to be this tool's.
func RecallValues(chart *render.Renderer, inventory apply.Inventory, facts render.Facts) render.Recorded {
	if inventory.Foreign {
		return render.Recorded{}
	}
	return chart.Recall(inventory.Values, facts)
}

// recallValues adds the values of the last install to those that are given.
func recallValues(p project.Project, given render.Options) (Recalled, error) {
	chart, err := render.New()
	if err != nil {
		return Recalled{}, err
	}
	recalled := Recalled{Recorded: RecallValues(chart, p.Inventory, p.Facts)}
	if given.Reset {
		recalled.Recorded = render.Recorded{Known: recalled.Known}
	}
	given.Recorded = recalled.Values
	if recalled.Lines, err = render.FromRecord(given); err != nil {
		return recalled, err
	}
	recalled.Record, err = chart.Record(given)
	return recalled, err
}

// returning names the values that an install without a record of them would return to
// their defaults: an earlier version of this tool did not record what it was given. A field
// that something else has changed since is no value of an install.
func returning(p Plan) []string {
	d := p.Desired
	if d.Recalled.Known || d.Values.Reset || d.Project.Inventory.Unfinished() {
		return nil
	}
	var returns []string
	for _, item := range p.Objects.All() {
		if exposure.IsKind(item.Ref.Kind) && !render.Gives(d.Values, "expose") {
			returns = append(returns, exposing(p, item)...)
		}
		if item.Live == nil || !apply.Ours(item.Live) {
			continue
		}
		for _, change := range item.Changes {
			name := valueOf(item.Ref, change.Path)
			if name != "" && change.Before != nil && change.Manager == "" && !render.Gives(d.Values, name) {
				returns = append(returns, name+": "+inWords(change.Before)+" → "+inWords(change.After))
			}
		}
	}
	slices.Sort(returns)
	return slices.Compact(returns)
}

// exposing is what a Route or an Ingress says of the value expose. One that is on record
// and does not exist was deleted by somebody, and is created again.
func exposing(p Plan, item *apply.Item) []string {
	recorded := slices.Contains(p.Desired.Project.Inventory.Objects, item.Ref)
	switch {
	case item.Action == apply.Delete:
		return []string{"expose: " + item.Ref.String() + " is deleted"}
	case item.Action == apply.Create && !recorded && len(running(p)) > 0 && !exposedAlready(p):
		return []string{"expose: " + item.Ref.String() + " is created"}
	}
	return nil
}

// valueOf is the value of the chart that decides a field of an object, of those that
// install records; "" for any other field.
func valueOf(ref apply.Ref, path string) string {
	under := func(prefix string) bool { return strings.HasPrefix(path, prefix) }
	switch ref.Kind {
	case "Deployment":
		table := strings.TrimPrefix(ref.Name, "ostoy-")
		container := "spec.template.spec.containers[" + ref.Name + "]."
		switch {
		case path == "spec.replicas":
			return table + ".replicas"
		case path == container+"image", path == container+"imagePullPolicy":
			return table + ".image"
		case under(container + "resources."):
			return table + "." + strings.TrimPrefix(path, container)
		}
	case "PersistentVolumeClaim":
		if path == "spec.resources.requests.storage" {
			return "storage.size"
		} else if path == "spec.storageClassName" {
			return "storage.storageClassName"
		}
	case "Route":
		if under("spec.tls") {
			return "route.tls"
		}
	case "Ingress":
		if under("spec.") || under("metadata.annotations") {
			return "ingress"
		}
	}
	return ""
}

// inWords is a decoded value as a reader would type it.
func inWords(value any) string {
	if text, is := value.(string); is {
		return text
	}
	if value == nil {
		return "(none)"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// recalled gives the options the name and path of the role on record, if it has another
// name or path than install gives, and IAM shows that it is this project's: everybody who
// can edit the project can write the record.
func recalled(ctx context.Context, d Desired, options iam.RoleOptions, once *reading) iam.RoleOptions {
	var actual *iam.Actual
	var err error
	record := d.Project.Inventory.Record
	arn := iam.RoleHere(record.RoleARN, d.Facts())
	read := func() *iam.Actual {
		if actual, err = d.World.RoleOf(ctx, arn.Name()); err != nil {
			return nil
		}
		return actual
	}
	// Whose role it is to be if another tool makes it is for IAM to say, too.
	used := d.Request.IAM == IAMSkip && record.RoleOrigin == apply.OriginExisting
	if arn.Name() == "" || len(iam.Recall(record.RoleARN, used, d.Facts(), read)) == 0 || actual == nil {
		return options
	}
	options.Name, options.Path = arn.Name(), arn.Path()
	once.answer(actual, err)
	return options
}

// recallIAM is who makes the role, if the request does not say: as in the last install, if
// that only used one (--iam=skip) and IAM shows that another tool manages it. Everybody who
// can edit the project can write the inventory, which alone could keep install from
// repairing the role of the project.
func recallIAM(ctx context.Context, d *Desired) {
	r, record := &d.Request, d.Project.Inventory.Record
	if r.IAM != IAMAsBefore {
		return
	}
	r.IAM = IAMApply
	arn := iam.RoleHere(record.RoleARN, d.Facts())
	if d.Project.Inventory.Foreign || record.RoleOrigin != apply.OriginExisting || arn.Name() == "" || makesRole(*r, arn) {
		return
	}
	actual, err := d.World.RoleOf(ctx, arn.Name())
	switch {
	case err != nil:
		d.Recalled.Doubt = "IAM does not show the role " + arn.Name()
	case iam.OnlyUsed(record.RoleARN, d.Facts(), actual):
		r.IAM, d.Recalled.Skips = IAMSkip, true
	case actual.Exists && iam.App.Owns(arn.Name(), actual, d.Facts()):
		d.Recalled.Doubt = "the role " + arn.Name() + " has the tags of this project, as one that install created"
	default:
		d.Recalled.Doubt = "IAM has no role " + arn.Name() + " that lets the app in"
	}
}

// makesRole reports whether a request says how the role is made, or names another one.
func makesRole(r Request, recorded render.ARN) bool {
	o := r.Role
	another := o.Name != "" && o.Name != recorded.Name() || o.Path != "" && o.Path != recorded.Path()
	return another || r.Tighten || r.Adopt.Tutorial() || o.Adopt || o.Boundary != "" || o.PolicyARN != "" || len(o.Tags) > 0
}
