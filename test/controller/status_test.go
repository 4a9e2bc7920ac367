package controller_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// document is the part of `controller status -o json` that the tests read.
type document struct {
	State       string
	Controllers []struct {
		State, Namespace, Deployment, Installer, Version string
		Ours                                             bool
		OLM                                              *struct {
			State, Channel, Approval, Phase string
			Upgrade                         *struct{ Version, InstallPlan string }
		}
		Role struct {
			State, ARN, From string
			PodsWithIt       int
		}
		Region struct{ State, Name string }
		Leader struct{ State, Holder string }
		Pods   []struct{ State, Name, Text string }
		Errors struct {
			State string
			Count int
			Said  []struct {
				Text, Why string
				Objects   []string
				Count     int
			}
		}
	}
	BucketPolicy struct {
		PolicyState string
		Exempt      []string
	}
	Buckets struct {
		State                   string
		Total, Synced, OnTheWay int
	}
}

// status is the document of one look that is to succeed.
func (s *scene) status(t *testing.T) (d document) {
	t.Helper()
	s.Admin.Run(t, "controller", "status", "-o", "json").WantCode(t, done).JSON(t, &d)
	return d
}

// until looks until a complaint is gone: a leader and a Bucket take their time.
func (s *scene) until(t *testing.T, complaint func(document) string) {
	t.Helper()
	eventually(t, "status", func(context.Context) error {
		d := s.status(t)
		if why := complaint(d); why != "" {
			return fmt.Errorf("%s: %+v", why, d)
		}
		return nil
	})
}

func TestStatus(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.Admin.Run(t, "controller", "status").WantCode(t, refused).WantStdout(t, "").
		WantTalk(t, "no ACK S3 controller is installed", "oc ostoy-s3 controller install")
	s.wantNothingWritten(t)

	s.install(t, "--version", "1.10.0")
	s.Admin.Typing(`
apiVersion: v1
kind: Namespace
metadata: {name: demo}
---
apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata: {name: demo-bucket, namespace: demo, annotations: {services.k8s.aws/region: us-east-2}}
spec: {name: demo-bucket}
`).Kubectl(t, "apply", "-f", "-").WantCode(t, 0)
	eventually(t, "the upgrade waits", s.upgradeWaits)
	s.until(t, func(d document) string {
		if len(d.Controllers) != 1 {
			return "not one controller"
		}
		c := d.Controllers[0]
		switch {
		case !c.Ours || c.Installer != "OLM" || c.Version != "1.10.0" || c.Namespace != namespace || c.OLM == nil || c.OLM.Phase != "Succeeded" || c.OLM.Approval != "Manual":
			return "not as installed"
		case c.OLM.Upgrade == nil || c.OLM.Upgrade.Version == "" || c.OLM.Upgrade.InstallPlan == "":
			return "no upgrade waits"
		case c.Role.State != "ok" || c.Role.From != "Subscription" || c.Role.PodsWithIt != 1 || !strings.Contains(c.Role.ARN, ":role/ostoy-s3-controller/ack-s3-controller-"):
			return "another role"
		case c.Region.Name != testRegion:
			return "another region"
		case c.Leader.State != "ok" || len(c.Pods) != 1 || c.Leader.Holder != c.Pods[0].Name:
			return "no leader"
		case d.Buckets.Total != 1 || d.Buckets.Synced != 1:
			return "the Bucket is not counted"
		}
		return ""
	})
	told := s.Admin.Run(t, "controller", "status").WantCode(t, done)
	for _, text := range []string{"ack-system/ack-s3-controller", "oc ostoy-s3 controller install --upgrade", "renewed its Lease", "1 synced"} {
		if !strings.Contains(told.Stdout, text) {
			t.Errorf("it does not say %q:\n%s", text, told.Stdout)
		}
	}
}

// TestStatusTellsErrors: those of its log, each once, with the cause; and why it
// crashes.
func TestStatusTellsErrors(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	const denied = `{"level":"error","ts":"2026-11-23T10:00:00.000Z","msg":"Reconciler error","controller":"bucket","namespace":"demo","name":"demo-bucket",` +
		`"error":"operation error S3: CreateBucket, https response error StatusCode: 403, RequestID: %s, HostID: h, api error AccessDenied: Access Denied"}`
	s.ControllerLog(fmt.Sprintf(denied, "ONE"), fmt.Sprintf(denied, "TWO"))
	s.until(t, func(d document) string {
		if len(d.Controllers) != 1 || d.Controllers[0].Errors.Count != 2 {
			return "not two errors"
		}
		if said := d.Controllers[0].Errors.Said; len(said) != 1 || said[0].Count != 2 || said[0].Why != "its role may not do s3:CreateBucket" || said[0].Objects[0] != "demo/demo-bucket" {
			return "told otherwise"
		}
		return ""
	})
	s.CrashController(`{"level":"error","msg":"Unable to create controller manager","error":"invalid resource tag: rosa_cluster_ack"}`)
	s.until(t, func(d document) string {
		for _, pod := range d.Controllers[0].Pods {
			if pod.State == "wrong" && strings.Contains(pod.Text, "crashes: the resource tag rosa_cluster_ack") {
				return ""
			}
		}
		return "no crash is told"
	})
}

// TestStatusForAProjectAdmin: what is missing is named.
func TestStatusForAProjectAdmin(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	run.ProjectAdmin(t, s.Bed, "learner").Run(t, "controller", "status").WantCode(t, 1).WantStdout(t, "").
		WantTalk(t, "may not list deployments.apps", "at the cluster scope")
}
