package check_test

import (
	"context"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// waysToInstall are flags of installs in which nothing is wrong, though they are
// not the usual one. Check is told none of them.
func waysToInstall() []string {
	return []string{
		"--set=podIdentity=webhook",
		"--role-name=check-good --role-path=/mine/",
		"--policy-arn=" + fullAccess,
		"--audience=openshift",
		"--audience=openshift --set=podIdentity=webhook",
	}
}

func identityFaults() []fault {
	all := append(accountFaults(), roleFaults()...)
	return append(append(all, trustFaults()...), podFaults()...)
}

func accountFaults() []fault {
	webhook := byWebhook()
	return []fault{
		{check: "service-account", says: "is not there", make: kubectl("delete", "serviceaccount", "ostoy-sa")},
		{
			check: "service-account", says: "eks.amazon.com/role-arn", with: webhook, admin: true,
			make: annotate("eks.amazonaws.com/role-arn-", "eks.amazon.com/role-arn="+anotherRole),
		},
		{
			check: "service-account", status: "warning", says: "nothing reads",
			make: annotate("eks.amazon.com/role-arn=" + anotherRole),
		},
		{check: "service-account", says: "names no role", with: webhook, make: annotate("eks.amazonaws.com/role-arn-")},
		{
			check: "service-account", status: "warning", says: "another account",
			make: annotate("eks.amazonaws.com/role-arn=arn:aws:iam::222222222222:role/theirs"),
		},
		{
			check: "service-account", says: `audience "openshift"`, with: webhook, admin: true,
			make: annotate("eks.amazonaws.com/audience=openshift"),
		},
		{
			check: "service-account", status: "warning", says: "86400", with: webhook,
			make: annotate("eks.amazonaws.com/token-expiration=soon"),
		},
		{check: "token-issuer", says: "issues tokens as", bare: true, make: installForIssuer, flags: []string{"--oidc-issuer=" + migrated}},
	}
}

// migrated is an issuer that AWS knows and by which the API server does not
// issue tokens (yet).
const migrated = "https://oidc.migrated.example.com/2new"

func installForIssuer(t *testing.T, s *scene) {
	must(t, makeProvider(t.Context(), s.Bed, migrated, "sts.amazonaws.com"))
	// It cannot be verified: the pods' tokens are not of that issuer.
	s.User.Run(t, "install", "--new-project="+s.Namespace, "--oidc-issuer="+migrated, "--verify=false").WantCode(t, 0)
}

func podFaults() []fault {
	webhook := byWebhook()
	return []fault{
		{check: "pod-identity", says: "runs as service account default", make: kubectl("set", "serviceaccount", "deployment/ostoy-frontend", "default")},
		{
			check: "pod-identity", says: "skip-containers", with: webhook,
			make: template(`{"metadata":{"annotations":{"eks.amazonaws.com/skip-containers":"wait-for-bucket,ostoy-frontend"}}}`),
		},
		{
			check: "pod-identity", status: "warning", says: "does not heed it", with: webhook,
			make: template(`{"metadata":{"labels":{"eks.amazonaws.com/skip-pod-identity-webhook":"yes"}}}`),
		},
		{check: "pod-identity", says: "missed it", with: webhook, admin: true, make: missedByWebhook},
		{check: "pod-identity", says: "before its service account was annotated", with: webhook, make: annotatedLate},
		{check: "pod-identity", says: "lacks AWS_WEB_IDENTITY_TOKEN_FILE", make: setEnv("AWS_WEB_IDENTITY_TOKEN_FILE-")},
		{check: "pod-identity", says: anotherRole, admin: true, make: setEnv("AWS_ROLE_ARN=" + anotherRole)},
		{
			check: "pod-identity", says: `audience "openshift"`,
			make: template(`{"spec":{"volumes":[{"name":"aws-iam-token","projected":{"sources":[{"serviceAccountToken":{"audience":"openshift","path":"token"}}]}}]}}`),
		},
		{
			check: "pod-identity", says: "no fsGroup",
			make: template(`{"spec":{"volumes":[{"name":"aws-iam-token","projected":{"defaultMode":256}}]}}`),
		},
		{check: "pod-identity", says: "that win over the role: AWS_ACCESS_KEY_ID", admin: true, make: setEnv("AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE")},
		{check: "pod-identity", says: "AWS_ACCESS_KEY_ID of Secret stray", make: strayFromSecret},
		{check: "pod-identity", says: "AWS_CONTAINER_CREDENTIALS_FULL_URI", make: setEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials")},
		{check: "pod-identity", says: "volume files at /.aws", make: template(`{"spec":{"volumes":[{"name":"files","emptyDir":{}}],"containers":[{"name":"ostoy-frontend","volumeMounts":[{"name":"files","mountPath":"/.aws"}]}]}}`)},
		// Without the second variable a webhook would give the pods its region.
		{check: "pod-identity", says: "no AWS_REGION", make: setEnv("AWS_REGION-", "AWS_DEFAULT_REGION=us-east-2")},
		{check: "pod-identity", status: "warning", says: "ap-east-1", make: setEnv("AWS_REGION=ap-east-1")},
		// One finding has all that is wrong with a pod, whatever is the worst of it.
		{check: "pod-identity", says: "has AWS_REGION=ap-east-1", make: func(t *testing.T, s *scene) {
			setEnv("AWS_REGION=ap-east-1", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE")(t, s)
		}},
	}
}

// anotherRole can be a role, and is not the one of any install.
const anotherRole = "arn:aws:iam::" + testbed.Account + ":role/another"

// kubectl is a fault that the user makes with kubectl.
func kubectl(args ...string) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		s.User.Kubectl(t, append(args, "-n", s.Namespace)...).WantCode(t, 0)
	}
}

func annotate(annotations ...string) func(*testing.T, *scene) {
	return kubectl(append([]string{"annotate", "--overwrite", "serviceaccount", "ostoy-sa"}, annotations...)...)
}

func setEnv(variables ...string) func(*testing.T, *scene) {
	return kubectl(append([]string{"set", "env", "deployment/ostoy-frontend", "--containers=ostoy-frontend"}, variables...)...)
}

// template changes the pod template of the frontend.
func template(patch string) func(*testing.T, *scene) {
	return kubectl("patch", "deployment", "ostoy-frontend", "--patch", `{"spec":{"template":`+patch+`}}`)
}

// missedByWebhook: the next pod comes without identity.
func missedByWebhook(t *testing.T, s *scene) {
	s.Webhook.Miss(s.Namespace, 1)
	newPods(t, s)
}

// annotatedLate: the pods are made while the service account names no role.
func annotatedLate(t *testing.T, s *scene) {
	account, err := s.Client.CoreV1().ServiceAccounts(s.Namespace).Get(t.Context(), "ostoy-sa", metav1.GetOptions{})
	must(t, err)
	annotate("eks.amazonaws.com/role-arn-")(t, s)
	newPods(t, s)
	time.Sleep(2 * time.Second) // both times are kept in whole seconds
	annotate("eks.amazonaws.com/role-arn="+account.Annotations["eks.amazonaws.com/role-arn"])(t, s)
}

// newPods puts new pods in the place of the frontend's.
func newPods(t *testing.T, s *scene) {
	t.Helper()
	kubectl("delete", "pod", "-l", "app=ostoy-frontend")(t, s)
	must(t, testbed.Poll(t.Context(), 100*time.Millisecond, func(ctx context.Context) error {
		pods, err := s.Client.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=ostoy-frontend"})
		if err == nil && (len(pods.Items) != 1 || pods.Items[0].DeletionTimestamp != nil) {
			err = context.DeadlineExceeded
		}
		return err
	}))
}

// strayFromSecret brings a whole Secret into the container's environment, as
// somebody does who puts database credentials there.
func strayFromSecret(t *testing.T, s *scene) {
	must(t, s.Apply(t.Context(), strings.ReplaceAll(`apiVersion: v1
kind: Secret
metadata: {name: stray, namespace: NAMESPACE}
stringData: {AWS_ACCESS_KEY_ID: AKIAIOSFODNN7EXAMPLE, AWS_SECRET_ACCESS_KEY: not-to-be-seen}
`, "NAMESPACE", s.Namespace)))
	template(`{"spec":{"containers":[{"name":"ostoy-frontend","envFrom":[{"secretRef":{"name":"stray"}}]}]}}`)(t, s)
}
