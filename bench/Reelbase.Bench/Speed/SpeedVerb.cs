namespace Reelbase.Bench.Speed;

/// <summary><c>bench [names] [--seconds N] [--million] [--json FILE] [--with FILE] [--record]</c>.</summary>
public static class SpeedVerb
{
    public static async Task<int> RunAsync(string[] args)
    {
        if (SpeedOptions.Read(args) is not { } options)
        {
            return 2;
        }
        var load = File.Exists("/proc/loadavg") ? (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0] : "unknown";
        var report = new SpeedReport();
        if (options.EarlierFile is { } earlier)
        {
            report.Take(earlier);
        }
        await new SpeedRun(options, report).RunAsync();
        report.Print();
        if (options.JsonFile is { } file)
        {
            report.WriteJson(file);
        }
        if (options.IsRecorded)
        {
            SpeedRecord.Write(report, args, load);
        }
        return report.IsGood ? 0 : 1;
    }
}
