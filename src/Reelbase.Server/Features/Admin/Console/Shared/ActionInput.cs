using System.Globalization;
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

    /// <summary>A time; null when nothing was written.</summary>
    /// <exception cref="ApiException">ERR_4000, as the operation itself would say it.</exception>
    public DateTime? Time(string name) => ReadTime(name, Text(name));

    /// <summary>A time as somebody writes one, of UTC where it does not say.</summary>
    /// <exception cref="ApiException">ERR_4000, as the operation itself would say it.</exception>
    internal static DateTime? ReadTime(string name, string text) =>
        text.Length == 0 ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.UtcDateTime
        : throw ApiException.Field(ErrorCodes.MalformedRequest, name, "not_a_time");
}
