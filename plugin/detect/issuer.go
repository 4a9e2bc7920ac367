package detect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	authenticationSource = "authentications/cluster"
	documentPath         = "/.well-known/openid-configuration"
)

// issuer asks OpenShift's configuration and the discovery document at the same
// time, the first wins; where neither may be read, a token is looked at.
func issuer(ctx context.Context, s *search) error {
	var configured, documented answer
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		object, why, err := read(groupCtx, s, kinds.Authentication.GVR(), "", "cluster")
		configured = answer{why: why, known: object != nil}
		if object != nil {
			configured.value, _, _ = unstructured.NestedString(object.Object, "spec", "serviceAccountIssuer")
		}
		return err
	})
	group.Go(func() error {
		value, err := s.conn.Issuer(groupCtx)
		why, err := unknown(s, err, documentPath)
		documented = answer{value: value, why: why, known: why == "" && err == nil}
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	switch {
	case configured.known:
		foundIssuer(s, configured.value, authenticationSource)
	case documented.known:
		foundIssuer(s, documented.value, documentPath)
	default:
		return issuerFromTokens(ctx, s, []string{configured.why, documented.why})
	}
	return nil
}

// answer is a value, perhaps empty, or why there is none.
type answer struct {
	value, why string
	known      bool
}

// foundIssuer takes an issuer over, or remembers why AWS could not use it.
func foundIssuer(s *search, value, source string) {
	fact, err := usableIssuer(value, source)
	s.result.Facts.Issuer, s.issuerProblem = fact, err
}

// usableIssuer is the fact, or a pre-check's error: the cluster, not the
// user's input, is what does not fit.
func usableIssuer(value, source string) (render.Fact, error) {
	issuer, err := render.NormalizeIssuer(value)
	if err == nil {
		return render.Fact{Value: issuer, Source: source}, nil
	}
	p := &problem.Error{Kind: problem.Refused, What: "the cluster's issuer", Why: err.Error(), Err: err}
	if flaw := (*problem.Error)(nil); errors.As(err, &flaw) {
		p.What, p.Why, p.Next = flaw.Parts()
		if !errors.Is(err, ErrNotSTS) {
			p.What = "the cluster's " + p.What
			p.Next = "AWS cannot check the tokens of this cluster; if IAM knows it by another issuer, give that with --oidc-issuer"
		}
	}
	p.Why += " (from " + source + ")"
	return render.Fact{Why: p.Why}, p
}

// issuerFromTokens tries the namespaces in which a token may be had.
func issuerFromTokens(ctx context.Context, s *search, whys []string) error {
	namespaces := tokenNamespaces(s)
	target := s.result.Facts.Namespace.Value
	needsProject := !slices.Contains(namespaces, target)
	for _, namespace := range namespaces {
		fact, err := IssuerFromToken(ctx, s.conn, namespace)
		switch {
		case err == nil:
			s.result.Facts.Issuer = fact
			s.note("the issuer is read from a token, because " + strings.Join(whys, " and "))
			return nil
		case errors.Is(err, errNoToken):
			whys = append(whys, "a token in namespace "+namespace+" is refused")
			needsProject = needsProject || namespace == target
		case isRefused(err):
			s.result.Facts.Issuer, s.issuerProblem = fact, err
			return nil
		default:
			return err
		}
	}
	if fact, found := issuerFromOwn(ctx, s, namespaces); found {
		s.result.Facts.Issuer = fact
		s.note("the issuer is read from a token in another of your projects, because " + strings.Join(whys, " and "))
		return nil
	}
	s.result.IssuerNeedsProject = needsProject
	s.result.Facts.Issuer = render.Fact{Why: strings.Join(whys, ", ")}
	return nil
}

// issuerFromOwn asks for a token in the projects that OpenShift lists as yours, a few of
// them: the issuer is the cluster's, whichever project shows it.
func issuerFromOwn(ctx context.Context, s *search, asked []string) (render.Fact, bool) {
	const few = 5
	list, err := s.conn.Dynamic.Resource(kinds.Project.GVR()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return render.Fact{}, false
	}
	tries := 0
	for _, project := range list.Items {
		if tries == few || project.GetDeletionTimestamp() != nil || slices.Contains(asked, project.GetName()) {
			continue
		}
		tries++
		if fact, err := IssuerFromToken(ctx, s.conn, project.GetName()); err == nil {
			return fact, true
		}
	}
	return render.Fact{}, false
}

func tokenNamespaces(s *search) []string {
	if len(s.req.TokenNamespaces) > 0 {
		return s.req.TokenNamespaces
	}
	target := s.result.Facts.Namespace.Value
	if current, _ := s.conn.Namespace(); current != target {
		return []string{target, current}
	}
	return []string{target}
}

func isRefused(err error) bool {
	p := (*problem.Error)(nil)
	return errors.As(err, &p) && p.Kind == problem.Refused
}

// errNoToken is the cause where the server gives no token in a namespace: it
// does not exist, or we may not.
var errNoToken = errors.New("no token")

// IssuerFromToken is the issuer by a TokenRequest (dryRun=All) for the default
// service account of a namespace: the least right that tells it. The token is
// not kept. A cluster whose issuer AWS cannot use is an error of kind Refused.
func IssuerFromToken(ctx context.Context, conn *cluster.Conn, namespace string) (render.Fact, error) {
	issuer, err := conn.TokenIssuer(ctx, namespace, "default")
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		p := (*problem.Error)(nil)
		if errors.As(conn.Translate(err), &p) {
			return render.Fact{}, &problem.Error{Kind: p.Kind, What: p.What, Why: p.Why, Next: p.Next, Err: errors.Join(errNoToken, err)}
		}
		return render.Fact{}, errors.Join(errNoToken, err)
	case err != nil:
		return render.Fact{}, conn.Translate(err)
	}
	if issuer == "" {
		return render.Fact{}, problem.Fail(fmt.Sprintf("the token of serviceaccounts/default in namespace %s", namespace),
			"it does not say who issued it",
			"give the issuer with --oidc-issuer")
	}
	return usableIssuer(issuer, "token of serviceaccounts/default in "+namespace)
}

// IssuerOfNewProject is IssuerFromToken for a project that was made a moment ago:
// its service account default, and its maker's rights on it, may come a little
// later, and are waited for.
func IssuerOfNewProject(ctx context.Context, conn *cluster.Conn, namespace string) (fact render.Fact, err error) {
	const patience, pause = 15 * time.Second, 250 * time.Millisecond
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_ = wait.PollUntilContextCancel(limited, pause, true, func(context.Context) (bool, error) {
		// With the caller's context: what ends the wait must not take the place of
		// the server's answer.
		fact, err = IssuerFromToken(ctx, conn, namespace)
		return !errors.Is(err, errNoToken), nil
	})
	if ctx.Err() != nil {
		return render.Fact{}, ctx.Err()
	}
	return fact, err
}
