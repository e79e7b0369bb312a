using System.Globalization;

namespace Reelbase.Server.Features.Admin.Console;

/// <summary>Writes numbers as people read them.</summary>
public static class Figures
{
    private static readonly string[] ByteUnits = ["B", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>What an operation answers of where the next page begins, as a pager takes it.</summary>
    public static string? AsToken(this long? next) => next?.ToString(CultureInfo.InvariantCulture);

    /// <summary>A number in groups of three digits.</summary>
    public static string Grouped(this long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>A number with its sign.</summary>
    public static string WithSign(this long number) => number.ToString("+#,0;-#,0;0", CultureInfo.InvariantCulture);

    /// <summary>A number of bytes, in units of thousands.</summary>
    public static string Bytes(this long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        for (; value >= 1000 && unit < ByteUnits.Length - 1; unit++)
        {
            value /= 1000;
        }
        return value.ToString(unit == 0 ? "0" : "0.#", CultureInfo.InvariantCulture) + " " + ByteUnits[unit];
    }

    /// <summary>Millionths of a dollar as dollars.</summary>
    public static string Dollars(this long micros) => "$" + (micros / 1_000_000d).ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>The same; empty where nothing is known.</summary>
    public static string Dollars(this long? micros) => micros?.Dollars() ?? "";
}
