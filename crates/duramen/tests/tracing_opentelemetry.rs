//! Identifiers of spans with the crates that programs use for them: OpenTelemetry's, and its layer for `tracing`.

use std::sync::Arc;

use duramen::context::{self, TraceIds};
use duramen::formatter::JsonFormatter;
use duramen::formatter::json::{JsonBuilder, Source};
use duramen::front::tracing::TracingLayer;
use duramen::{Manager, info};
use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::prelude::*;

fn active() -> Option<TraceIds> {
    let span = Context::current().span().span_context().clone();
    span.is_valid().then(|| TraceIds {
        trace_id: u128::from_be_bytes(span.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(span.span_id().to_bytes()),
        trace_flags: span.trace_flags().to_u8(),
    })
}

#[test]
fn records_within_spans_have_their_identifiers_and_the_service() {
    let attributes = [KeyValue::new("service.name", "shop"), KeyValue::new("service.version", "1.2")];
    let resource = Resource::builder_empty().with_attributes(attributes).build();
    let provider = SdkTracerProvider::builder().with_resource(resource.clone()).build();
    let tracer = provider.tracer("test");
    context::set_trace_ids(active);
    context::set_resource(resource.iter());

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let handler = duramen::handler::FileHandler::new(&path).expect("opened");
    let formatter: JsonFormatter =
        JsonBuilder::default().members([("text", Source::by_name("message"))]).build().expect("right");
    handler.set_formatter(Arc::new(formatter));
    let manager = Manager::new();
    manager.root().add_handler(Arc::new(handler));
    manager.root().set_level(duramen::Level::INFO);

    let layers = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(tracer.clone()))
        .with(TracingLayer::new(manager.clone()));
    let mut expected = Vec::new();
    tracing::subscriber::with_default(layers, || {
        info!(manager.root(), "before");
        expected.push(r#"{"text": "before"}"#.to_owned());
        tracing::info_span!("request").in_scope(|| {
            tracing::info!("by tracing");
            info!(manager.root(), "by a logger");
            let ids = active().expect("a span is active");
            for text in ["by tracing", "by a logger"] {
                expected.push(line(text, ids));
            }
        });
    });
    tracer.in_span("alone", |_| {
        info!(manager.root(), "within OpenTelemetry's own");
        expected.push(line("within OpenTelemetry's own", active().expect("a span is active")));
    });
    let found = std::fs::read_to_string(&path).expect("written");
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
}

fn line(text: &str, TraceIds { trace_id, span_id, trace_flags }: TraceIds) -> String {
    format!(
        r#"{{"text": "{text}", "trace_id": "{trace_id:032x}", "span_id": "{span_id:016x}", "trace_flags": "{trace_flags:02x}", "service_name": "shop", "service_version": "1.2"}}"#
    )
}
