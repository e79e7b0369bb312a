using System.Globalization;
using System.Text.Json.Nodes;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Features.Admin.Console.Shared;

/// <summary>What was filled into a dialog.</summary>
/// <param name="values">By the names of its fields.</param>
/// <param name="reason">Why it is done.</param>
public sealed class ActionInput(IReadOnlyDictionary<string, string> values, string reason)
{
    /// <summary>Why it is done.</summary>
    public string Reason => reason;

    /// <summary>A text.</summary>
    public string Text(string name) => values[name].Trim();

    /// <summary>A whole number.</summary>
    /// <exception cref="ApiException">ERR_4000, as the operation itself would say it.</exception>
    public int Number(string name) =>
        int.TryParse(Text(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw ApiException.Field(ErrorCodes.MalformedRequest, name, "not_a_whole_number");

    /// <summary>A field as JSON: a number where it is one, else what was written.</summary>
    public JsonNode Value(ActionField field) =>
        field.IsNumber && long.TryParse(Text(field.Name), CultureInfo.InvariantCulture, out var number)
            ? JsonValue.Create(number)
            : JsonValue.Create(Text(field.Name));
}
