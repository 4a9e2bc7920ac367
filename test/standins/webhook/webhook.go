// Package webhook plays the pod identity webhook (IRSA): it gives pods whose
// service account names a role the token volume and the AWS variables.
//
// It follows aws/amazon-eks-pod-identity-webhook (pkg/handler/handler.go: what is
// injected, and what stops it), with the flags that openshift/cloud-credential-operator,
// openshift/hypershift and EKS give it. It fails open like the real one, and can be told
// to miss pods, as the real one does now and then.
package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	admission "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	prefix    = "eks.amazonaws.com/"
	mountPath = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
	volume    = "aws-iam-token"
)

// Webhook answers admission reviews at any path.
type Webhook struct {
	Client kubernetes.Interface
	// Audience and Region are the platform's flags.
	Audience, Region string

	lock sync.Mutex
	miss map[string]int
}

// Miss lets the next count pods of the namespace through as they are.
func (w *Webhook) Miss(namespace string, count int) {
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.miss == nil {
		w.miss = map[string]int{}
	}
	w.miss[namespace] = count
}

func (w *Webhook) missed(namespace string) bool {
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.miss[namespace] == 0 {
		return false
	}
	w.miss[namespace]--
	return true
}

// ServeHTTP answers one AdmissionReview.
func (w *Webhook) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	var review admission.AdmissionReview
	if err := json.NewDecoder(request.Body).Decode(&review); err != nil || review.Request == nil {
		http.Error(response, "no admission review", http.StatusBadRequest)
		return
	}
	review.Response = w.admit(request.Context(), review.Request)
	review.Response.UID = review.Request.UID
	review.Request = nil
	response.Header().Set("Content-Type", "application/json")
	// The API server went away: nobody is left to tell.
	_ = json.NewEncoder(response).Encode(review)
}

func (w *Webhook) admit(ctx context.Context, request *admission.AdmissionRequest) *admission.AdmissionResponse {
	asItIs := &admission.AdmissionResponse{Allowed: true}
	var pod corev1.Pod
	if json.Unmarshal(request.Object.Raw, &pod) != nil {
		return asItIs
	}
	name := pod.Spec.ServiceAccountName
	if name == "" {
		name = "default"
	}
	account, err := w.Client.CoreV1().ServiceAccounts(request.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil || account.Annotations[prefix+"role-arn"] == "" || w.missed(request.Namespace) {
		return asItIs
	}
	w.inject(&pod, account.Annotations)
	patch, err := json.Marshal([]map[string]any{{"op": "replace", "path": "/spec", "value": pod.Spec}})
	if err != nil {
		return asItIs
	}
	kind := admission.PatchTypeJSONPatch
	return &admission.AdmissionResponse{Allowed: true, Patch: patch, PatchType: &kind}
}

// inject changes the pod by the service account's annotations.
func (w *Webhook) inject(pod *corev1.Pod, annotations map[string]string) {
	changed := false
	skip := strings.Split(pod.Annotations[prefix+"skip-containers"], ",")
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			if slices.Contains(skip, list[i].Name) {
				continue
			}
			changed = w.injectContainer(&list[i], annotations) || changed
		}
	}
	for _, v := range pod.Spec.Volumes {
		changed = changed && v.Name != volume
	}
	if !changed {
		return
	}
	audience := w.Audience
	if given := annotations[prefix+"audience"]; given != "" {
		audience = given
	}
	seconds := expiration(pod.Annotations, annotations)
	token := corev1.ServiceAccountTokenProjection{Audience: audience, ExpirationSeconds: &seconds, Path: "token"}
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{
		Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{ServiceAccountToken: &token}}},
	}})
}

// injectContainer adds variables and mount, unless the container has an
// identity of its own.
func (w *Webhook) injectContainer(container *corev1.Container, annotations map[string]string) bool {
	has := map[string]bool{}
	for _, env := range container.Env {
		has[env.Name] = true
	}
	add := func(name, value string) {
		container.Env = append(container.Env, corev1.EnvVar{Name: name, Value: value})
	}
	if regional := annotations[prefix+"sts-regional-endpoints"]; regional == "true" && !has["AWS_STS_REGIONAL_ENDPOINTS"] {
		add("AWS_STS_REGIONAL_ENDPOINTS", "regional")
	}
	if w.Region != "" && !has["AWS_REGION"] && !has["AWS_DEFAULT_REGION"] {
		add("AWS_DEFAULT_REGION", w.Region)
		add("AWS_REGION", w.Region)
	}
	if has["AWS_ROLE_ARN"] || has["AWS_WEB_IDENTITY_TOKEN_FILE"] {
		return false
	}
	add("AWS_ROLE_ARN", annotations[prefix+"role-arn"])
	add("AWS_WEB_IDENTITY_TOKEN_FILE", mountPath+"/token")
	container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: volume, ReadOnly: true, MountPath: mountPath})
	return true
}

// expiration: the pod's annotation, else the account's, else a day; at least
// ten minutes, and no number is a day.
func expiration(pod, account map[string]string) int64 {
	for _, annotations := range []map[string]string{pod, account} {
		text, given := annotations[prefix+"token-expiration"]
		if !given {
			continue
		}
		if seconds, err := strconv.ParseInt(fmt.Sprint(text), 10, 64); err == nil {
			return max(seconds, 600)
		}
	}
	return 86400
}
