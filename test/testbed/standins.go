package testbed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ostoy"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/webhook"
)

// startStandIns starts what plays programs that cannot be had here. They run
// in this process and live until Stop, so ctx is not theirs.
func (b *Bed) startStandIns(ctx context.Context) error {
	living, cancel := context.WithCancel(context.WithoutCancel(ctx))
	b.living, b.cancel = living, cancel
	podLogs := filepath.Join(b.Dir, "pod-logs")
	if err := os.MkdirAll(podLogs, 0o755); err != nil {
		return err
	}
	b.standIns.Go(func() {
		ostoy.Run(living, ostoy.Config{Client: b.Client, Dynamic: b.Dynamic, Endpoint: b.AWSEndpoint, Region: Region, LogDir: podLogs})
	})
	if !b.NoACK {
		config := ack.Config{
			Cluster: b.Dynamic, Account: Account, Region: Region, S3: b.controllerS3,
			Client: b.Client, LogDir: podLogs, Kubelet: b.NoController,
			As: b.as, Namespace: ControllerNamespace, ServiceAccount: "ack-s3-controller",
		}
		if b.Enforce {
			config.Assume = b.controllerSession
		}
		b.ACK = ack.Start(living, config)
		b.standIns.Go(b.ACK.Wait)
	}
	if b.Platform.OpenShift() {
		if err := b.startProjectAPI(ctx, living); err != nil {
			return err
		}
	}
	if b.NoWebhook || b.Platform == Kubernetes {
		return nil
	}
	return b.startWebhook(ctx, living)
}

// as is the cluster for a service account. The audit log has the request as the
// bed's own, and so leaves it out.
func (b *Bed) as(namespace, account string) (dynamic.Interface, error) {
	config := rest.CopyConfig(b.Config)
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + namespace + ":" + account,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
	}
	return dynamic.NewForConfig(config)
}

// controllerS3 is the controller's client of a region.
func (b *Bed) controllerS3(region string) *s3.Client {
	config := b.awsConfig(controllerKey, anySecret, "")
	config.Region = region
	return s3.NewFromConfig(config, pathStyle)
}

// serveTLS serves handler on loopback under the given host name until ctx
// ends. With clients, only the API server's certificate may ask.
func (b *Bed) serveTLS(ctx context.Context, handler http.Handler, clients bool, host string) (int, error) {
	made, err := b.authority.issue(host, nil, host, "127.0.0.1", "localhost")
	if err != nil {
		return 0, err
	}
	certificate, err := tls.X509KeyPair(made.Cert, made.Key)
	if err != nil {
		return 0, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	if clients {
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(b.authority.PEM)
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		return 0, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	b.standIns.Go(func() {
		stop := context.AfterFunc(ctx, func() { _ = server.Close() })
		defer stop()
		// Ends with ErrServerClosed at Stop.
		_ = server.Serve(listener)
	})
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// startProjectAPI puts the project API behind the API server.
func (b *Bed) startProjectAPI(ctx, living context.Context) error {
	server := &project.Server{Client: b.Client, Context: living}
	b.standIns.Go(func() { <-living.Done(); server.Wait() })
	port, err := b.serveTLS(living, server, true, "project-api.kube-system.svc")
	if err != nil {
		return err
	}
	return b.Apply(ctx, fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: project-api, namespace: kube-system}
spec:
  type: ExternalName
  externalName: localhost
  ports: [{port: %d}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.%s}
spec:
  group: %[2]s
  version: v1
  groupPriorityMinimum: 9900
  versionPriority: 15
  caBundle: %[3]s
  service: {name: project-api, namespace: kube-system, port: %[1]d}
`, port, project.Group, base64.StdEncoding.EncodeToString(b.authority.PEM)))
}

// startWebhook registers the webhook as the platform does: ROSA HCP calls it
// otherwise, and gives it another audience.
func (b *Bed) startWebhook(ctx, living context.Context) error {
	b.Webhook = &webhook.Webhook{Client: b.Client, Audience: "sts.amazonaws.com", Region: Region}
	name, hook := "pod-identity-webhook", "pod-identity-webhook.aws.mutate.io"
	switch b.Platform {
	case ROSAHCP:
		name, hook = "aws-pod-identity", "pod-identity-webhook.amazonaws.com"
		b.Webhook.Audience = "openshift"
	case EKS:
		hook = "pod-identity-webhook.amazonaws.com"
	}
	port, err := b.serveTLS(living, b.Webhook, false, "127.0.0.1")
	if err != nil {
		return err
	}
	url, ignore, none := fmt.Sprintf("https://127.0.0.1:%d/mutate", port), admissionv1.Ignore, admissionv1.SideEffectClassNone
	pods := admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}}
	_, err = b.Client.AdmissionregistrationV1().MutatingWebhookConfigurations().Create(ctx, &admissionv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Webhooks: []admissionv1.MutatingWebhook{{
			Name: hook, FailurePolicy: &ignore, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
			ClientConfig: admissionv1.WebhookClientConfig{URL: &url, CABundle: b.authority.PEM},
			Rules:        []admissionv1.RuleWithOperations{{Operations: []admissionv1.OperationType{admissionv1.Create}, Rule: pods}},
		}},
	}, metav1.CreateOptions{})
	return err
}
