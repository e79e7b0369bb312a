using System.Globalization;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>The <c>Prefer</c> header.</summary>
internal sealed class RestPreferences
{
    private static readonly string[] Known =
    [
        "resolution=merge-duplicates",
        "resolution=ignore-duplicates",
        "return=representation",
        "return=minimal",
        "return=headers-only",
        "count=exact",
        "count=planned",
        "count=estimated",
        "tx=commit",
        "tx=rollback",
        "missing=default",
        "missing=null",
        "handling=strict",
        "handling=lenient",
    ];

    /// <summary>merge-duplicates or ignore-duplicates.</summary>
    public string? Resolution { get; private init; }

    /// <summary>representation, minimal or headers-only.</summary>
    public string? Return { get; private init; }

    /// <summary>exact, planned or estimated.</summary>
    public string? Count { get; private init; }

    /// <summary>default or null.</summary>
    public string? Missing { get; private init; }

    /// <summary>strict or lenient.</summary>
    public string? Handling { get; private init; }

    /// <summary>The time zone in which times are written; null: UTC.</summary>
    public string? TimeZone { get; private init; }

    /// <summary>The most rows that a change may touch; counts with strict handling.</summary>
    public long? MaxAffected { get; private init; }

    /// <summary>What was asked for and is not known.</summary>
    public IReadOnlyList<string> Unknown { get; private init; } = [];

    public bool IsStrict => Handling == "strict";

    public bool WantsRows => Return == "representation";

    public bool Counts => Count is "exact" or "estimated";

    public static RestPreferences Read(HttpRequest request)
    {
        var all = request.Headers["Prefer"].SelectMany(line => (line ?? "").Split(',')).Select(each => each.Trim()).Where(each => each.Length > 0).ToList();
        string? First(string name) =>
            all.FirstOrDefault(each => each.StartsWith(name + "=", StringComparison.Ordinal) && Known.Contains(each)) is { } found
                ? found[(name.Length + 1)..]
                : null;
        string? After(string start) => all.FirstOrDefault(each => each.StartsWith(start, StringComparison.Ordinal))?[start.Length..];
        var zone = After("timezone=");
        var zoneIsKnown = zone is not null && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _);
        return new()
        {
            Resolution = First("resolution"),
            Return = First("return"),
            Count = First("count"),
            Missing = First("missing"),
            Handling = First("handling"),
            TimeZone = zoneIsKnown ? zone : null,
            MaxAffected = long.TryParse(After("max-affected="), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var most) ? most : null,
            Unknown =
            [
                .. all.Where(each =>
                    !Known.Contains(each)
                    && !each.StartsWith("max-affected=", StringComparison.Ordinal)
                    && !(zoneIsKnown && each.StartsWith("timezone=", StringComparison.Ordinal))
                ),
            ],
        };
    }

    /// <summary>Unknown preferences end a strict request.</summary>
    public void Check()
    {
        if (IsStrict && Unknown.Count > 0)
        {
            throw new RestError(400, "PGRST122", "Invalid preferences given with handling=strict", "Invalid preferences: " + string.Join(", ", Unknown));
        }
    }

    /// <summary>The <c>Preference-Applied</c> header; null when there is nothing to say.</summary>
    public string? Applied(bool isWrite, bool isInsert, bool hasConflictKeys, bool isUpdate, bool isDelete)
    {
        var applied = new List<string>();
        void Say(string name, string? value)
        {
            if (value is not null)
            {
                applied.Add($"{name}={value}");
            }
        }
        Say("resolution", isInsert && hasConflictKeys ? Resolution : null);
        Say("missing", isInsert || isUpdate ? Missing : null);
        Say("return", isWrite ? Return : null);
        Say("count", Count);
        Say("handling", Handling);
        Say("timezone", TimeZone);
        Say("max-affected", IsStrict && (isUpdate || isDelete) ? MaxAffected?.ToString(CultureInfo.InvariantCulture) : null);
        return applied.Count == 0 ? null : string.Join(", ", applied);
    }
}
