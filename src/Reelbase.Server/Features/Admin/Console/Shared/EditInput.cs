using System.Globalization;
using System.Text.Json;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Features.Admin.Console.Shared;

/// <summary>What was changed in a dialog that edits a row; what was not is null, so that two people who edit different fields do not undo each other.</summary>
/// <param name="changed">By the names of their fields.</param>
/// <param name="reason">Why it is done; empty for a preview.</param>
public sealed class EditInput(IReadOnlyDictionary<string, string> changed, string reason)
{
    private const NumberStyles Blanks = NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite;

    /// <summary>Why it is done.</summary>
    public string Reason => reason;

    /// <summary>What became empty.</summary>
    public IReadOnlyCollection<string> Cleared => [.. changed.Where(entry => entry.Value.Length == 0).Select(entry => entry.Key)];

    /// <summary>A text.</summary>
    public string? Text(string name) => changed.GetValueOrDefault(name) is { Length: > 0 } text ? text : null;

    /// <summary>A switch.</summary>
    public bool? Flag(string name) => Text(name) is { } text ? text == "true" : null;

    /// <summary>A whole number.</summary>
    /// <exception cref="ApiException">ERR_4000, as the operation itself would say it; so below.</exception>
    public int? Number(string name) =>
        Text(name) is not { } text ? null
        : int.TryParse(text, NumberStyles.AllowLeadingSign | Blanks, CultureInfo.InvariantCulture, out var number) ? number
        : throw ApiException.Field(ErrorCodes.MalformedRequest, name, "not_a_whole_number");

    /// <summary>An amount. A comma is refused: it would be read as a mark of thousands where somebody meant a decimal point.</summary>
    public decimal? Amount(string name) =>
        Text(name) is not { } text ? null
        : decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign | Blanks, CultureInfo.InvariantCulture, out var amount) ? amount
        : throw ApiException.Field(ErrorCodes.MalformedRequest, name, "not_a_number");

    /// <summary>A time.</summary>
    public DateTime? Time(string name) => ActionInput.ReadTime(name, Text(name) ?? "");

    /// <summary>An id.</summary>
    public Guid? Id(string name) =>
        Text(name) is not { } text ? null
        : Guid.TryParse(text, out var id) ? id
        : throw ApiException.Field(ErrorCodes.MalformedRequest, name, "not_a_uuid");

    /// <summary>JSON, whatever it is.</summary>
    public JsonElement? Json(string name)
    {
        try
        {
            return Text(name) is { } text ? JsonSerializer.Deserialize<JsonElement>(text) : null;
        }
        catch (JsonException)
        {
            throw ApiException.Field(ErrorCodes.MalformedRequest, name, "not_json");
        }
    }
}
