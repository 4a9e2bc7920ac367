package project

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Wanted is which project to look at, and how.
type Wanted struct {
	Facts session.Facts
	// NewName is the name of a project to be made; "" for the one of -n or of the
	// kubeconfig context.
	NewName string
	// MustExist refuses a project that does not exist, before anything else that is wrong.
	MustExist bool
	// Tolerant goes on without what could not be found out: Failures says why. For those
	// who report what is wrong rather than work on it.
	Tolerant bool
}

// Project is what there is. It is not changed once Look has returned it.
type Project struct {
	Conn      *cluster.Conn
	Facts     render.Facts // complete, not validated
	Found     detect.Result
	State     State
	Inventory apply.Inventory
	Failures  Failures // only of a tolerant look
}

// Failures are why something could not be found out.
type Failures struct {
	Cluster, AWS, Issuer error
}

// Name is the name of the project.
func (p Project) Name() string { return p.Facts.Namespace.Value }

// Look asks the cluster and AWS for everything that does not depend on an answer, at the
// same time. Wrong input is an error, also to a tolerant look.
func Look(ctx context.Context, s *session.Session, w Wanted) (Project, error) {
	if w.NewName != "" {
		w.Facts.Given.Namespace = render.Fact{Value: w.NewName, Source: "new project"}
	}
	conn, given, err := Given(ctx, s, w.Facts)
	if err != nil {
		return Project{}, err
	}
	if err := (render.Facts{Namespace: given.Namespace}).Validate(); err != nil {
		return Project{}, err
	}
	p, err := look(ctx, conn, w, given)
	p.Facts = p.Found.Facts
	if p.State.Unseen && p.Inventory.Found { // what is in it shows that it exists
		p.State.Exists = true
	}
	if w.MustExist && p.State.Missing() && ctx.Err() == nil {
		if absent := Absent(ctx, conn, given.Namespace, p.State, toCreate(given.Namespace.Value)); absent != nil {
			return p, absent
		}
		p.State.Exists = true
	}
	if err != nil {
		return p, err
	}
	p, other := p.recallRegion(ctx, given.Region)
	other.Print(s.UI)
	return p, nil
}

// toCreate says how a project that does not exist comes to be.
func toCreate(name string) string { return "to create it and install in it: " + NewProject(name) }

func look(outer context.Context, conn *cluster.Conn, w Wanted, given render.Facts) (Project, error) {
	p, name := Project{Conn: conn}, given.Namespace.Value
	group, ctx := errgroup.WithContext(outer)
	inventory := sync.OnceValues(func() (apply.Inventory, error) { return ReadInventory(ctx, conn, name) })
	group.Go(func() (err error) {
		p.Found, p.Failures, err = facts(ctx, w, detect.Request{
			Given:   given,
			Connect: func() (*cluster.Conn, error) { return conn, nil },
			AWS:     detect.AWSOptions{Profile: w.Facts.Profile, Region: given.Region.Value},
			RecordedClusterID: func(context.Context) (string, error) {
				found, err := inventory()
				return found.ClusterID, err
			},
		})
		return err
	})
	until := ctx
	if w.MustExist { // not cut short by what else fails: that there is no such project comes first
		until = outer
	}
	group.Go(func() (err error) {
		if p.State, err = LookAt(until, conn, name); w.Tolerant {
			return nil // said by the checks that want to know the same
		}
		return err
	})
	// Told only when nothing else is wrong: that a server does not answer is said better
	// by those who ask for more than one object.
	var unreadable error
	group.Go(func() error {
		p.Inventory, unreadable = inventory()
		return nil
	})
	if err := group.Wait(); err != nil {
		return p, err
	}
	if w.Tolerant {
		return p, outer.Err()
	}
	// Who has no permissions in a project that does not exist yet is refused everything
	// in it: that is no answer about the inventory.
	if apierrors.IsForbidden(unreadable) && !p.State.Exists {
		return p, nil
	}
	return p, unreadable
}

// ReadInventory is what an install recorded in a project.
func ReadInventory(ctx context.Context, conn *cluster.Conn, name string) (apply.Inventory, error) {
	return apply.New(conn, apply.Options{Namespace: name}).ReadInventory(ctx)
}

// facts finds the facts, and whose the credentials are.
func facts(ctx context.Context, w Wanted, request detect.Request) (detect.Result, Failures, error) {
	if !w.Tolerant {
		found, err := detect.Detect(ctx, request)
		if err == nil {
			err = Identify(ctx, &found, w.Facts.Profile)
		}
		return found, Failures{}, err
	}
	request.Policy = detect.AskNeeded
	found, err := detect.Detect(ctx, request)
	failures := Failures{Cluster: found.ClusterFailure, AWS: found.AWSFailure, Issuer: err}
	if problem.IsInput(err) && found.Conn == nil {
		return found, failures, err // what was given, not what was found
	}
	if failures.AWS == nil {
		failures.AWS = Identify(ctx, &found, w.Facts.Profile)
	}
	if apierrors.IsForbidden(failures.Cluster) {
		failures.Cluster = nil // it answers
	}
	return found, failures, nil
}

// Identify makes sure that the credentials are those of the account that the manifests
// name, if the account was given by hand: a role made in another account would be of no
// use, and nobody would look for it there.
func Identify(ctx context.Context, found *detect.Result, profile string) (err error) {
	if found.AWS == nil {
		options := detect.AWSOptions{Profile: profile, Region: found.Facts.Region.Value}
		if found.AWS, err = detect.LoadAWS(ctx, options); err != nil {
			return err
		}
	}
	if found.Caller != "" {
		return nil
	}
	identity, err := found.AWS.Identity(ctx)
	if err != nil {
		return err
	}
	found.Caller = identity.Caller
	account, partition := found.Facts.Account, found.Facts.Partition
	if account.Known() && (account.Value != identity.Account || partition.Known() && partition.Value != identity.Partition) {
		return problem.Refuse(
			fmt.Sprintf("the AWS credentials are of account %s in partition %s", identity.Account, identity.Partition),
			fmt.Sprintf("the install is for account %s in partition %s (%s)", account.Value, partition.Value, account.Source),
			"choose other credentials with --profile, or leave out --account-id and --partition")
	}
	return nil
}

// Given is what the user says of a project, with the namespace of the kubeconfig context
// if they name none, and the connection. It sends nothing and validates nothing.
func Given(ctx context.Context, s *session.Session, facts session.Facts) (*cluster.Conn, render.Facts, error) {
	given, err := s.Given(ctx, facts)
	if err != nil {
		return nil, given, err
	}
	conn, err := s.Connect(ctx)
	if err == nil && !given.Namespace.Known() {
		name, _ := conn.Namespace()
		given.Namespace = render.Fact{Value: name, Source: conn.NamespaceSource()}
	}
	return conn, given, err
}

// Detect finds the facts that the user does not give. Unlike Look it connects to the
// cluster only if the policy asks it for something, and looks at nothing in the project.
func Detect(ctx context.Context, s *session.Session, facts session.Facts, policy detect.Policy) (detect.Result, error) {
	return detectIn(ctx, s, facts, policy, func(given render.Fact) render.Fact { return given })
}

// detectIn is Detect; namespace says which one counts instead of the given one.
func detectIn(ctx context.Context, s *session.Session, facts session.Facts, policy detect.Policy, namespace func(given render.Fact) render.Fact) (detect.Result, error) {
	given, err := s.Given(ctx, facts)
	if err != nil {
		return detect.Result{}, err
	}
	given.Namespace = namespace(given.Namespace)
	return detect.Detect(ctx, detect.Request{
		Given:   given,
		Connect: func() (*cluster.Conn, error) { return s.Connect(ctx) },
		AWS:     detect.AWSOptions{Profile: facts.Profile, Region: given.Region.Value},
		Policy:  policy,
	})
}

// Complete is Detect for manifests and roles: a fact that they need and that is not known,
// or that is not valid, is an error.
func Complete(ctx context.Context, s *session.Session, facts session.Facts, policy detect.Policy) (detect.Result, error) {
	found, err := Detect(ctx, s, facts, policy)
	return Completed(found, err)
}

// Completed is what Detect found, or what manifests and roles need and nobody knows.
func Completed(found detect.Result, err error) (detect.Result, error) {
	if err == nil {
		err = found.Require()
	}
	if err == nil {
		err = found.Facts.Validate()
	}
	return found, err
}

// DetectController is Detect for the ACK S3 controller. What is given of the namespace
// says nothing about the other facts, and need not be valid for a project with a bucket.
func DetectController(ctx context.Context, s *session.Session, facts session.Facts, policy detect.Policy) (detect.Result, error) {
	return detectIn(ctx, s, facts, policy, func(render.Fact) render.Fact { return UsualControllerNamespace() })
}

// CompleteController is Complete for the ACK S3 controller, whose namespace the facts then
// have.
func CompleteController(ctx context.Context, s *session.Session, facts session.Facts) (detect.Result, error) {
	namespace, err := ControllerNamespace(facts)
	if err != nil {
		return detect.Result{}, err
	}
	found, err := Completed(DetectController(ctx, s, facts, detect.AskNeeded))
	if err == nil {
		found.Facts.Namespace = namespace
	}
	return found, err
}

// ControllerNamespace is the namespace of the ACK S3 controller that the user gives by
// flag, or the usual one: a facts file and the kubeconfig context name the project of the
// app. A name that no namespace can have is an error.
func ControllerNamespace(facts session.Facts) (render.Fact, error) {
	namespace := facts.Given.Namespace
	if !namespace.Known() {
		namespace = UsualControllerNamespace()
	}
	return namespace, operator.ValidateNamespace(render.Facts{Namespace: namespace})
}

// UsualControllerNamespace is the namespace of the controller unless you give another.
func UsualControllerNamespace() render.Fact {
	return render.Fact{Value: render.ControllerNamespace, Source: "default"}
}

// OnRecord is the source of a fact that is known from the inventory alone.
const OnRecord = "configmaps/" + apply.InventoryName

// Recalled are the facts with one from the inventory, if it is valid: everybody who can
// edit the project can edit the inventory.
func Recalled(facts render.Facts, value string, of func(*render.Facts) *render.Fact) render.Facts {
	changed := facts
	if of(&changed).Value == value {
		return facts
	}
	*of(&changed) = render.Fact{Value: value, Source: OnRecord}
	if value != "" && changed.Validate() == nil {
		return changed.Complete()
	}
	return facts
}
