using System.Globalization;

namespace Reelbase.Simulators;

/// <summary>What a gateway or a half-finished deploy says in a vendor's place: <c>[status 404]</c>, <c>[result-html]</c> and the like. Three times, then the true answer.</summary>
public sealed class RudeReads
{
    private const int Times = 3;
    private int _given;

    /// <summary>The rude answer to a read, or null. <paramref name="call"/> is status or result; <paramref name="empty"/> is the vendor's success without the video.</summary>
    public IResult? Next(Directives directives, string call, object empty)
    {
        var word = new[] { call, call + "-html", call + "-empty" }.FirstOrDefault(directives.Has);
        if (word is null || Interlocked.Increment(ref _given) > Times)
        {
            return null;
        }
        return word == call ? Results.StatusCode((int)directives.Seconds(call, 404))
            : word.EndsWith("-html", StringComparison.Ordinal) ? Page
            : Results.Json(empty);
    }

    /// <summary>A page for people where JSON is expected.</summary>
    public static IResult Page =>
        Results.Text(
            string.Create(CultureInfo.InvariantCulture, $"<!doctype html><title>Just a moment...</title><p>{DateTime.UtcNow:O}</p>"),
            "text/html; charset=utf-8"
        );
}
