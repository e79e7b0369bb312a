using System.Globalization;
using Reelbase.Bench.Realtime;

namespace Reelbase.Bench.Load;

/// <summary>Megabytes at one moment.</summary>
/// <param name="Server">Resident memory of the node.</param>
/// <param name="Database">Of all of PostgreSQL's processes, pages that they share counted once; 0 where the system does not say.</param>
public sealed record MemorySample(double Server, double Database)
{
    public double Together => Server + Database;

    public static MemorySample Of(Stage stage) => new(ProcessMemory.ResidentOf(stage.ServerProcessId) / 1024.0 / 1024.0, OfDatabase(stage));

    private static double OfDatabase(Stage stage)
    {
        if (!Directory.Exists("/proc/self"))
        {
            return 0;
        }
        var postmaster = File.ReadLines(Path.Combine(stage.DataDirectory, "postgresql", "data", "postmaster.pid")).First().Trim();
        return Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(id => char.IsAsciiDigit(id![0])).Sum(id => Kilobytes(id!, postmaster))
            / 1024.0;
    }

    private static double Kilobytes(string process, string postmaster)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            if (process != postmaster && stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] != postmaster)
            {
                return 0;
            }
            var line = File.ReadLines($"/proc/{process}/smaps_rollup").First(line => line.StartsWith("Pss:", StringComparison.Ordinal));
            return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            // It has ended meanwhile, or belongs to somebody else.
            return 0;
        }
    }
}
