using System.Text.Json;

namespace Reelbase.Simulators.Runway;

/// <summary>What Runway's models take, and what they cost; refused at create with a 400, as at Runway.</summary>
public static class RunwaySchemas
{
    /// <summary>How long a prompt may be, in UTF-16 units.</summary>
    public const int MaxPromptUnits = 1000;

    /// <summary>The first fault of an input, or null.</summary>
    public static SchemaFault? FindFault(JsonElement input, bool isImage)
    {
        var endpoint = $"{(isImage ? "image" : "text")}_to_video {Text(input, "model")}";
        return VendorSchemas.Runway.Has(endpoint) ? VendorSchemas.Runway.FindFault(endpoint, input) : new("model", "literal_error", "Invalid option");
    }

    /// <summary>Runway's word for a fault.</summary>
    public static string CodeOf(SchemaFault fault) =>
        fault.Type switch
        {
            "extra_forbidden" => "unrecognized_keys",
            "missing" or "string_type" or "int_type" or "bool_type" or "float_type" or "list_type" or "dict_type" => "invalid_type",
            "string_too_long" or "less_than_equal" => "too_big",
            "string_too_short" or "greater_than_equal" => "too_small",
            "literal_error" => "invalid_value",
            _ => fault.Type,
        };

    /// <summary>What an input costs.</summary>
    public static int Credits(JsonElement input)
    {
        var audio = input.TryGetProperty("audio", out var sound) && sound.ValueKind == JsonValueKind.True;
        var perSecond = Text(input, "model") switch
        {
            "gen4_turbo" => 5,
            "veo3.1" => audio ? 40 : 20,
            "veo3.1_fast" => audio ? 15 : 10,
            _ => 12,
        };
        return perSecond * (input.TryGetProperty("duration", out var seconds) ? seconds.GetInt32() : 8);
    }

    private static string? Text(JsonElement input, string name) =>
        input.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
