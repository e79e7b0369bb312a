using System.Globalization;

namespace Reelbase.Bench.Speed;

/// <summary>One figure beside what it is held against.</summary>
/// <param name="Value">A share of the ceiling or a multiple of the peer; of a time, milliseconds or seconds.</param>
/// <param name="AtLeast">What is promised; NaN: nothing, it is only shown.</param>
/// <param name="Strive">What is hoped for.</param>
/// <param name="IsTime">Less is better.</param>
public sealed record Line(string What, string Ours, string Against, double Value, string Text, double AtLeast, double Strive, bool IsTime)
{
    public bool IsGood => double.IsNaN(AtLeast) || (IsTime ? Value <= AtLeast : Value >= AtLeast);

    public string Verdict =>
        double.IsNaN(AtLeast) ? ""
        : (IsTime ? Value <= Strive : Value >= Strive) ? "reached, and what is striven for"
        : IsGood ? "reached"
        : "missed";

    /// <summary>A share of a ceiling.</summary>
    public static Line Share(string what, Series ours, Series ceiling, double atLeast, double strive) =>
        new(
            what,
            Rate(ours),
            Rate(ceiling),
            ours.PerSecond / ceiling.PerSecond,
            Say($"{ours.PerSecond / ceiling.PerSecond:0.0 %}"),
            atLeast,
            strive,
            IsTime: false
        );

    /// <summary>So many times a peer.</summary>
    public static Line Times(string what, Series ours, Series peer, double atLeast, double strive) =>
        new(
            what,
            Rate(ours),
            Rate(peer),
            ours.PerSecond / peer.PerSecond,
            Say($"{ours.PerSecond / peer.PerSecond:0.00} times"),
            atLeast,
            strive,
            IsTime: false
        );

    /// <summary>A time with a bound.</summary>
    public static Line Time(string what, string ours, string against, double value, string unit, double atMost, double strive) =>
        new(what, ours, against, value, Say($"{value:0.00} {unit}"), atMost, strive, IsTime: true);

    public static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Rate(Series series) => Say($"{series.PerSecond:0}/s ({series.Lowest:0}–{series.Highest:0})");
}
