using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Features.Admin.Console;

/// <summary>Reads the answers of admin functions, which are JSON, in pages.</summary>
public static class Nodes
{
    private static readonly string[] ByteUnits = ["B", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>A member as text; empty when it is absent or null.</summary>
    public static string Text(this JsonNode? node, string name) =>
        node?[name] switch
        {
            null => "",
            JsonValue value when value.GetValueKind() == JsonValueKind.String => (string)value!,
            var other => other.ToJsonString(),
        };

    /// <summary>A member as a whole number; 0 when absent.</summary>
    public static long Number(this JsonNode? node, string name) => (long)node.Real(name);

    /// <summary>A member as a number; 0 when absent.</summary>
    public static double Real(this JsonNode? node, string name) =>
        node?[name] is JsonValue value && value.GetValueKind() == JsonValueKind.Number ? double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture) : 0;

    /// <summary>Whether a member is true.</summary>
    public static bool Is(this JsonNode? node, string name) => node?[name] is JsonValue value && value.GetValueKind() == JsonValueKind.True;

    /// <summary>Whether a member is there and not null.</summary>
    public static bool Has(this JsonNode? node, string name) => node?[name] is not null;

    /// <summary>The items of a member that is a list.</summary>
    public static IReadOnlyList<JsonNode> Items(this JsonNode? node, string name) => node?[name] is JsonArray items ? [.. items.OfType<JsonNode>()] : [];

    /// <summary>Rows as records; members that an operation does not name stay empty.</summary>
    public static IReadOnlyList<T> As<T>(this IReadOnlyList<JsonNode> rows) => [.. rows.Select(row => row.Deserialize<T>(Json.Options)!)];

    /// <summary>What an operation answers of where the next page begins, as a pager takes it.</summary>
    public static string? AsToken(this long? next) => next?.ToString(CultureInfo.InvariantCulture);

    /// <summary>A number as people read it.</summary>
    public static string Grouped(this long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>A number with its sign.</summary>
    public static string WithSign(this long number) => number.ToString("+#,0;-#,0;0", CultureInfo.InvariantCulture);

    /// <summary>A number of bytes as people read it, in units of thousands.</summary>
    public static string Bytes(this JsonNode? node, string name)
    {
        var (value, unit) = (node.Real(name), 0);
        for (; value >= 1000 && unit < ByteUnits.Length - 1; unit++)
        {
            value /= 1000;
        }
        return value.ToString(unit == 0 ? "0" : "0.#", CultureInfo.InvariantCulture) + " " + ByteUnits[unit];
    }

    /// <summary>Millionths of a dollar as dollars.</summary>
    public static string Dollars(this JsonNode? node, string name) =>
        node.Has(name) ? "$" + (node.Real(name) / 1_000_000).ToString("0.000", CultureInfo.InvariantCulture) : "";
}
