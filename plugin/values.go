package plugin

import (
	"context"
	"fmt"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Values prints the computed chart values to stdout.
func (a *App) Values(ctx context.Context, request RenderRequest) error {
	facts, options, err := a.renderInput(ctx, request)
	if err != nil {
		return err
	}
	values, err := interrupt.Run(ctx, 0, func() (map[string]any, error) {
		renderer, err := render.New()
		if err != nil {
			return nil, err
		}
		// Rendering finds what the chart's schema refuses, before anything is printed.
		if _, err := renderer.Objects(facts, options); err != nil {
			return nil, err
		}
		return renderer.Values(facts, options)
	})
	if err != nil {
		return err
	}
	text, err := render.Document(values)
	if err != nil {
		return fmt.Errorf("write values: %w", err)
	}
	return a.WriteData(string(text))
}

// renderInput gathers facts and values. What the user typed is read first:
// a bad file must not cost a look at the cluster.
func (a *App) renderInput(ctx context.Context, request RenderRequest) (render.Facts, render.Options, error) {
	options, err := a.ReadValues(ctx, request.Chart)
	if err != nil {
		return render.Facts{}, options, err
	}
	found, err := a.found(ctx, request.Facts)
	if err != nil {
		return found.Facts, options, err
	}
	request.Role = a.settled(ctx, found, request)
	return request.optionsFor(found.Facts, options)
}

// optionsFor are the options with what follows from the facts.
func (r RenderRequest) optionsFor(facts render.Facts, options render.Options) (render.Facts, render.Options, error) {
	desired, err := iam.Desired(facts, r.Role)
	if err != nil {
		return facts, options, err
	}
	options.RoleARN = desired.ARN
	options.IncludeNamespace = r.IncludeNamespace
	return facts, options, nil
}
