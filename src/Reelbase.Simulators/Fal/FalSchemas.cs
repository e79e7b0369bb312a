using System.Text.Json;

namespace Reelbase.Simulators.Fal;

/// <summary>fal's refusals of an input, in its own shape.</summary>
public static class FalSchemas
{
    /// <summary>Whether fal has such an endpoint.</summary>
    public static bool Has(string modelId) => VendorSchemas.Fal.Has(modelId);

    /// <summary>The first fault of an input, or null.</summary>
    public static SchemaFault? FindFault(string modelId, JsonElement input) =>
        VendorSchemas.Fal.FindFault(modelId, input)
        ?? (
            input.TryGetProperty("prompt", out var prompt) && prompt.GetString() is { Length: 0 }
                ? new("prompt", "string_too_short", "String should have at least 1 character")
                : null
        );

    /// <summary>A 422 as fal writes it: <c>detail</c> is an array.</summary>
    public static object Refusal(SchemaFault fault, JsonElement input) =>
        new
        {
            detail = new[]
            {
                new
                {
                    loc = new[] { "body", fault.Field },
                    msg = fault.Message,
                    type = fault.Type,
                    url = $"https://docs.fal.ai/errors#{fault.Type}",
                    ctx = fault.Expected is null ? null : new { expected = fault.Expected },
                    input = input.ValueKind == JsonValueKind.Object && input.TryGetProperty(fault.Field, out var given) ? (object)given : input,
                },
            },
        };
}
