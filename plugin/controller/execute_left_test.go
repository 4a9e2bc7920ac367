package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// attaching is an IAM that answers when it is told to.
type attaching struct {
	iam.API
	answer func() error
}

func (a attaching) AttachRolePolicy(context.Context, *awsiam.AttachRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.AttachRolePolicyOutput, error) {
	return &awsiam.AttachRolePolicyOutput{}, a.answer()
}

// TestPartFailsBesideTheOther: the role is updated beside objects. Whichever of the two
// fails, what was sent of the other is answered and counted, nothing more is begun, and
// what got no answer is named.
func TestPartFailsBesideTheOther(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized"}
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "clusterroles"}, operator.ViewRole, errors.New("no"))
	const role, view = "the managed policy of role r", "ClusterRole " + operator.ViewRole
	for name, c := range map[string]struct {
		roleFirst    bool
		role, object error // the answers
		roleDone     bool
		created      int
		unsure       []string
	}{
		"the role is refused first":              {true, denied, nil, false, 1, nil},
		"the role is refused after the object":   {false, denied, nil, false, 1, nil},
		"the object is refused first":            {false, nil, forbidden, true, 0, nil},
		"both are refused":                       {true, denied, forbidden, false, 0, nil},
		"no answer about the role":               {false, context.Canceled, nil, false, 1, []string{role}},
		"no answer about the object":             {true, nil, context.Canceled, true, 0, []string{view}},
		"the connection ends before any answers": {true, errors.New("EOF"), errors.New("EOF"), false, 0, []string{role, view}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, false)
			sent, first := make(chan struct{}), make(chan struct{})
			w.client.PrependReactor("patch", "configmaps", func(action clienttesting.Action) (bool, runtime.Object, error) {
				name := action.(clienttesting.PatchActionImpl).Name
				if name != apply.ControllerInventoryName {
					t.Errorf("%s is begun after the failure", name)
				}
				return true, by(apply.Manager, object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: "+name+", namespace: ack-system}}")), nil
			})
			w.client.PrependReactor("patch", "clusterroles", func(clienttesting.Action) (bool, runtime.Object, error) {
				close(sent)
				if c.roleFirst {
					<-first
				} else {
					defer close(first)
				}
				return true, roleWith("ClusterRole", operator.ViewRole, "buckets", "get"), c.object
			})
			answer := func() error {
				<-sent
				if c.roleFirst {
					defer close(first)
				} else {
					<-first
				}
				return c.role
			}
			later := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
			later.SetName("later")
			later.SetNamespace(ackSystem)
			later.SetAnnotations(map[string]string{render.WaveAnnotation: "-2"})
			p := &Plan{
				Mode: ByHand,
				set:  append(operator.ReadRights(), later),
				Role: &iam.Plan{Role: iam.Role{Name: "r"}, Steps: []iam.Step{{Kind: iam.AttachPolicy, What: "managed policy", PolicyARN: "p"}}},
				basis: basis{
					facts: testFacts(), roles: attaching{answer: answer}, options: Options{DryRun: session.DryRunClient},
					found: &Found{World: &live.World{Conn: w.conn, Namespace: ackSystem}, Namespace: ackSystem, Project: &unstructured.Unstructured{}},
				},
			}
			var err error
			if p.Objects, err = p.planObjects(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			done := &Done{}
			err = p.Execute(t.Context(), done, func(health.State) {})
			if err == nil || !done.Inventory || (len(done.Role) == 1) != c.roleDone || done.Objects[apply.Create] != c.created || !slices.Equal(done.Unsure, c.unsure) {
				t.Errorf("%v: %s", err, fmt.Sprintf("%+v", done))
			}
		})
	}
}
