package testbed

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Platform is the kind of cluster a bed plays.
type Platform string

// The platforms, spelled as the command line spells them.
const (
	ROSAClassic Platform = "rosa-classic"
	ROSAHCP     Platform = "rosa-hcp"
	EKS         Platform = "eks"
	Kubernetes  Platform = "kubernetes"
)

// Platforms lists all platforms.
func Platforms() []Platform { return []Platform{ROSAClassic, ROSAHCP, EKS, Kubernetes} }

// OpenShift tells whether the platform serves OpenShift's APIs.
func (p Platform) OpenShift() bool { return p == ROSAClassic || p == ROSAHCP }

// What every bed has in common. The account is moto's own default.
const (
	Account   = "123456789012"
	Region    = "us-east-2"
	ClusterID = "6d5c1f0e-52a4-4c39-9d0b-0f6a7b1c2d3e"
	// ProjectUser is the project admin of Env and of the sandbox.
	ProjectUser = "learner"
)

// Options says which bed to start. The zero value is a ROSA classic cluster
// with everything in working order.
type Options struct {
	Platform Platform
	// Issuer overrides the service account issuer of the platform.
	Issuer string
	// NoBucketRights leaves project admins without rights on Buckets, as a
	// controller installed by Helm does.
	NoBucketRights bool
	// NoSelfProvisioner takes away the right to request projects.
	NoSelfProvisioner bool
	// NoACK leaves out the Bucket CRD and the controller, for good.
	NoACK bool
	// NoController leaves them out at first: OLM, or a chart somebody applies,
	// brings them. The controller then works only while one of its pods runs.
	NoController bool
	// NoAdmissionPolicies has the API server serve no ValidatingAdmissionPolicies, as
	// Kubernetes before 1.30 and OpenShift before 4.17.
	NoAdmissionPolicies bool
	// NoWebhook leaves out the pod identity webhook.
	NoWebhook bool
	// NoProvider leaves the issuer unregistered in IAM.
	NoProvider bool
	// LogDir takes the logs of all parts; empty: a folder in the bed's own
	// temporary directory, which goes away with the bed.
	LogDir string
	// Progress takes a line per slow step; nil: nobody is told.
	Progress io.Writer

	// ports chooses the ports of parts; nil: freePorts. Tests of the bed choose
	// one that is taken.
	ports func(count int) ([]int, error)
}

// complete fills in what was left out.
func (o Options) complete() (Options, error) {
	if o.Platform == "" {
		o.Platform = ROSAClassic
	}
	issuers := map[Platform]string{
		ROSAClassic: "https://oidc.op1.openshiftapps.com/2abcdefghijklmnopqrstuvwxyz01234",
		ROSAHCP:     "https://oidc.op1.openshiftapps.com/2zyxwvutsrqponmlkjihgfedcba43210",
		EKS:         "https://oidc.eks.us-east-2.amazonaws.com/id/ABCDEF0123456789ABCDEF0123456789",
		Kubernetes:  "https://issuer.example.com/clusters/plain",
	}
	issuer, known := issuers[o.Platform]
	if !known {
		return o, fmt.Errorf("no such platform: %q (one of %v)", o.Platform, Platforms())
	}
	if o.Issuer == "" {
		o.Issuer = issuer
	}
	if !strings.HasPrefix(o.Issuer, "https://") {
		return o, fmt.Errorf("the issuer %q is no https URL", o.Issuer)
	}
	if o.NoACK && o.NoController {
		return o, errors.New("NoACK is for good: it and NoController exclude each other")
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.ports == nil {
		o.ports = freePorts
	}
	return o, nil
}

// furnished tells whether the controller is there from the start.
func (o Options) furnished() bool { return !o.NoACK && !o.NoController }

// say writes one progress line. A reader who went away is no reason to stop.
func (o Options) say(format string, args ...any) {
	_, _ = fmt.Fprintf(o.Progress, "test bed: "+format+"\n", args...)
}
