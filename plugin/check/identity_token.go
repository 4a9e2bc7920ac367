package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
)

// podToken judges the identity that a pod has.
func podToken(ctx context.Context, i identityLook, pod core.Pod) Finding {
	want, known := i.audience(ctx)
	provider, err := i.Provider(ctx)
	if err != nil {
		provider = nil // IDProvider tells
	}
	again := i.again(ctx)
	return worstFirst([]Finding{
		judgeRole(pod, roleARN(ctx, i), again),
		roleElsewhere(ctx, i, pod),
		judgeAudience(pod, want, known, provider, i.Facts.Audience.Value, again),
		judgeReadable(pod, i.Facts.KubeVersion.Value, again),
	})
}

// judgeAudience holds the audience of a pod's token against what the role asks
// for and what the provider (nil where it is not known) takes. That it does not
// take the usual one is IDProvider's to tell.
func judgeAudience(pod core.Pod, want string, known bool, provider *iam.OIDCProvider, usual, again string) Finding {
	for _, c := range appContainers(pod.Spec) {
		volume := tokenVolume(pod.Spec, c)
		if volume == nil {
			continue
		}
		is := tokenIn(*volume).Audience
		shown := fmt.Sprintf("%q", awserr.Redact(is))
		switch {
		case is != want && !known:
			return Unseen("iam:GetRole", "whether the role takes tokens for audience "+shown+", as pod "+pod.Name+" has one")
		case is != want:
			return Refuse("pod "+pod.Name+" has a token for audience "+shown,
				"the role takes those for "+want+": STS refuses others (AccessDenied, or Incorrect token audience)",
				again+"\nif the pods stay as they are: "+advice.Command("oc delete pod", pod.Name, "-n", pod.Namespace))
		case is != usual && provider != nil && provider.Exists && !provider.Takes(is):
			return Refuse("pod "+pod.Name+" has a token for audience "+shown+", which the cluster's OIDC provider does not take",
				"its client ids are "+strings.Join(provider.ClientIDs, ", ")+": STS says Incorrect token audience",
				"if you chose this audience, add it to the client ids of the provider: "+
					advice.Command("aws iam add-client-id-to-open-id-connect-provider --client-id AUDIENCE --open-id-connect-provider-arn ARN"))
		}
	}
	return Pass()
}

// judgeReadable: since Kubernetes 1.19 the kubelet gives a token to the pod's
// fsGroup, or to the one user that all containers run as, and leaves it at the
// volume's mode (0644 unless told) where there is neither. Before, it was root's
// alone unless there was an fsGroup (KEP-2451).
func judgeReadable(pod core.Pod, server, again string) Finding {
	context := pod.Spec.SecurityContext
	if context != nil && context.FSGroup != nil || oneUser(pod.Spec) {
		return Pass()
	}
	parsed, err := version.ParseGeneric(server)
	old := err == nil && parsed.LessThan(version.MustParseGeneric("1.19"))
	for _, c := range appContainers(pod.Spec) {
		volume := tokenVolume(pod.Spec, c)
		if volume == nil || userOf(pod.Spec, c) == 0 {
			continue
		}
		mode := core.ProjectedVolumeSourceDefaultMode
		if volume.Projected.DefaultMode != nil {
			mode = *volume.Projected.DefaultMode
		}
		const others = 0o004
		if old || mode&others == 0 {
			return Refuse(fmt.Sprintf("%s in pod %s may not read its token", c.Name, pod.Name),
				fmt.Sprintf("the file is root's (mode %04o), and the pod has no fsGroup that it would be given to", mode),
				again+" --set podSecurityContext.fsGroup=1000")
		}
	}
	return Pass()
}

// userOf is the user id that a container runs as, -1 where the spec leaves it to
// the image.
func userOf(spec core.PodSpec, c core.Container) int64 {
	switch {
	case c.SecurityContext != nil && c.SecurityContext.RunAsUser != nil:
		return *c.SecurityContext.RunAsUser
	case spec.SecurityContext != nil && spec.SecurityContext.RunAsUser != nil:
		return *spec.SecurityContext.RunAsUser
	}
	return -1
}

// oneUser reports whether all containers are said to run as the same user.
func oneUser(spec core.PodSpec) bool {
	all := everyContainer(spec)
	first := userOf(spec, all[0])
	return first >= 0 && !slices.ContainsFunc(all, func(c core.Container) bool { return userOf(spec, c) != first })
}

func podRegion(ctx context.Context, i identityLook, pod core.Pod) Finding {
	var all []Finding
	for _, c := range appContainers(pod.Spec) {
		elsewhere, _ := variables(ctx, i, core.Container{EnvFrom: c.EnvFrom}, []string{regionVariable})
		all = append(all, judgePodRegion(pod.Name, c, len(elsewhere) > 0, bucketRegion(ctx, i), i.again(ctx)))
	}
	return worstFirst(all)
}

// bucketRegion is where the bucket is, as S3 says, "" if it does not. The inventory is no
// source: it can be written in the project.
func bucketRegion(ctx context.Context, i identityLook) string {
	state, err := i.BucketState(ctx)
	if err != nil || state.Kind == bucket.OtherAccount {
		return ""
	}
	return state.Region
}

func judgePodRegion(pod string, c core.Container, elsewhere bool, want, again string) Finding {
	region, set := env(c, regionVariable)
	endpoints, regional := env(c, endpointsVariable)
	who := fmt.Sprintf("%s in pod %s", c.Name, pod)
	var all []Finding
	switch {
	case !set && !elsewhere:
		all = append(all, Refuse(who+" has no "+regionVariable, "OSToy's SDK then does not know which STS to ask for the role (\"Missing region in config\")", again))
	case region != "" && want != "" && region != want:
		all = append(all, Warn(fmt.Sprintf("%s has %s=%s", who, regionVariable, advice.Region(region)),
			"the bucket is in "+advice.Region(want).String()+": each call takes longer, and fails if the other region is disabled or cannot be reached", again))
	}
	if !regional || endpoints != "" && endpoints != "regional" {
		all = append(all, Warn(fmt.Sprintf("%s asks the global STS endpoint (%s is not regional)", who, endpointsVariable),
			"its credentials do not work in opt-in regions, and private clusters do not reach it", again))
	}
	return worstFirst(all)
}
