using System.Globalization;

namespace Reelbase.Bench.Speed;

/// <summary>What <c>bench [names]</c> was asked for.</summary>
public sealed record SpeedOptions(IReadOnlySet<string> Names, double Seconds, bool HasMillion, bool IsRecorded, string? JsonFile, string? EarlierFile)
{
    public static readonly string[] Known = ["start", "memory", "status", "accept", "waiting", "claim", "aged"];

    public bool Wants(params string[] names) => Names.Count == 0 || Names.Overlaps(names);

    /// <summary>Null, and said, when something is not understood.</summary>
    public static SpeedOptions? Read(string[] args)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var (seconds, million, recorded, json, earlier) = (5.0, false, false, (string?)null, (string?)null);
        for (var at = 0; at < args.Length; at++)
        {
            var value = at + 1 < args.Length ? args[at + 1] : "";
            switch (args[at])
            {
                case "--seconds" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var given) && given is > 0 and <= 120:
                    seconds = given;
                    at++;
                    break;
                case "--million":
                    million = true;
                    break;
                case "--record":
                    recorded = true;
                    break;
                case "--json" when value.Length > 0:
                    json = value;
                    at++;
                    break;
                case "--with" when File.Exists(value):
                    earlier = value;
                    at++;
                    break;
                case var name when Known.Contains(name):
                    names.Add(name);
                    break;
                default:
                    System.Console.Error.WriteLine($"bench: {args[at]} is not understood; ./reelbase bench --help says what there is");
                    return null;
            }
        }
        return new(names, seconds, million, recorded, json, earlier);
    }
}
